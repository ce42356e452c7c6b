import { setThreadsCount, setWasmPaths, version_wasm } from '#tfjs-backend-wasm';
import { env, ready, setBackend } from '#tfjs-core';
import { GradwireError } from '@gradwire/errors';
import { loadKernels } from '@gradwire/kernels';
import type { PreparedBackend } from '../prepared-backend.ts';
import { hashKernels } from '../prepared-backend.ts';
import { refuseFullHeap } from './refuse-full-heap.ts';

/** The WebAssembly files that compute. */
export interface WasmFiles {
  /** `tfjs-backend-wasm-simd.wasm` of the package `@tensorflow/tfjs-backend-wasm`. */
  readonly backend: {
    readonly bytes: Uint8Array;
    /** Where tfjs finds the same bytes: a path in Node, an address in a browser. */
    readonly location: string;
  };
  /** `@gradwire/kernels/kernels.wasm`; default: read or fetched as `loadKernels` does. */
  readonly kernels?: Uint8Array<ArrayBuffer>;
}

/**
 * Makes tfjs's wasm backend (SIMD, one thread) the current one, with the kernels of `@gradwire/kernels`. For any runtime:
 * in a browser it gives the bits of Node.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` without SIMD, or if a file does not load.
 * @example
 * const fetchBytes = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer());
 * const location = '/tfjs-backend-wasm-simd.wasm';
 * await prepareWasm({
 *   backend: { bytes: await fetchBytes(location), location },
 *   kernels: await fetchBytes('/kernels.wasm'),
 * });
 */
export async function prepareWasm({ backend, kernels }: WasmFiles): Promise<PreparedBackend> {
  // Without SIMD the backend would take another binary, with other bits and a quarter of the speed.
  if (!(await env().getAsync('WASM_HAS_SIMD_SUPPORT'))) {
    throw new GradwireError('BACKEND_UNAVAILABLE', 'this JavaScript engine has no WebAssembly SIMD', {
      hint: 'Use Node 20 or later on x64 or arm64, or Chrome 91, Firefox 89, Safari 16.4 or later.',
    });
  }
  // A page that may share memory would get another binary too.
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths(Object.fromEntries(binaries.map((name) => [name, backend.location])));
  setThreadsCount(1);
  if (!(await setBackend('wasm'))) {
    throw new GradwireError('BACKEND_UNAVAILABLE', `the wasm backend in ${backend.location} does not start`, {
      hint: 'Install the packages again: a file may be damaged.',
    });
  }
  await ready();
  refuseFullHeap();
  return {
    name: 'wasm',
    description: `WebAssembly with SIMD, one thread (tfjs-backend-wasm ${version_wasm})`,
    kernelHash: await hashKernels('wasm', await loadKernels(kernels), backend.bytes),
    version: version_wasm,
  };
}

/** tfjs wants a place for each of its binaries, also for those that are never loaded. */
const binaries = ['', '-simd', '-threaded-simd'].map((kind) => `tfjs-backend-wasm${kind}.wasm`);
