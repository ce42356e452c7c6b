// In Node, `#tfjs-backend-wasm` is this module: see `core.ts`.
import { createRequire } from 'node:module';
import type * as TfjsWasm from '@tensorflow/tfjs-backend-wasm';

const wasm = createRequire(import.meta.url)('@tensorflow/tfjs-backend-wasm') as typeof TfjsWasm;

export const setThreadsCount: typeof TfjsWasm.setThreadsCount = wasm.setThreadsCount;
export const setWasmPaths: typeof TfjsWasm.setWasmPaths = wasm.setWasmPaths;
export const version_wasm: typeof TfjsWasm.version_wasm = wasm.version_wasm;
