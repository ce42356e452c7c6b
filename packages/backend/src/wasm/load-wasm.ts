import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { env, ready, setBackend } from '@tensorflow/tfjs-core';
import { setThreadsCount, setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { GradwireError } from '@gradwire/errors';
import { loadKernels } from '@gradwire/kernels';
import type { PreparedBackend } from '../prepared-backend.ts';
import { hashKernels } from '../prepared-backend.ts';

const require = createRequire(import.meta.url);

/** Makes tfjs's wasm backend (SIMD, one thread) the current one, with the kernels of `@gradwire/kernels`. */
export async function loadWasm(): Promise<PreparedBackend> {
  // Without SIMD the backend would take another binary, with other bits and a quarter of the speed.
  if (!(await env().getAsync('WASM_HAS_SIMD_SUPPORT'))) {
    throw new GradwireError('BACKEND_UNAVAILABLE', 'this JavaScript engine has no WebAssembly SIMD', {
      hint: 'Use Node 20 or later on x64 or arm64.',
    });
  }
  const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
  setWasmPaths(folder + sep);
  setThreadsCount(1);
  if (!(await withoutProcessListeners(() => setBackend('wasm')))) {
    throw new GradwireError('BACKEND_UNAVAILABLE', `the wasm backend in ${folder} does not initialise`, {
      hint: 'Install the packages again: a file may be damaged.',
    });
  }
  await ready();
  const kernels = await loadKernels();
  const binary = await readFile(join(folder, 'tfjs-backend-wasm-simd.wasm'));
  return {
    name: 'wasm',
    description: `WebAssembly with SIMD, one thread (tfjs-backend-wasm ${version_wasm})`,
    kernelHash: await hashKernels('wasm', kernels, binary),
    version: version_wasm,
  };
}

const processEvents = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * The backend's start-up code rethrows uncaught errors from a handler of its own, which hides where they came from
 * and overrides the program's choice. Removes what it adds.
 */
async function withoutProcessListeners<T>(action: () => Promise<T>): Promise<T> {
  const before = processEvents.map((event) => process.rawListeners(event));
  const result = await action();
  for (const [i, event] of processEvents.entries()) {
    for (const listener of process.rawListeners(event)) {
      if (!before[i]?.includes(listener)) process.removeListener(event, listener as () => void);
    }
  }
  return result;
}
