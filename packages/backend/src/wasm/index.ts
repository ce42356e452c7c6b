export { prepareWasm } from './prepare-wasm.ts';
export type { WasmFiles } from './prepare-wasm.ts';
export type { PreparedBackend } from '../prepared-backend.ts';
