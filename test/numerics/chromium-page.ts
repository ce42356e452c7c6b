// Runs in a page, which serves the three WebAssembly files beside it.
import { type PreparedBackend, prepareWasm } from '@gradwire/backend/wasm';
import { loadVectors } from '@gradwire/kernels/vectors';
import { numericHashes } from './numeric-hashes.ts';

/** What the page reports. */
export interface PageReport {
  readonly backend: PreparedBackend;
  readonly hashes: Record<string, string>;
  /** Whether memory can be shared, so that tfjs would like to take its binary with threads. */
  readonly isolated: boolean;
}

export async function report(): Promise<PageReport> {
  const location = '/tfjs-backend-wasm-simd.wasm';
  const backend = await prepareWasm({
    backend: { bytes: await fetchBytes(location), location },
    kernels: await fetchBytes('/kernels.wasm'),
  });
  const hashes = await numericHashes(await loadVectors(await fetchBytes('/vectors.wasm')));
  return { backend, hashes, isolated: 'SharedArrayBuffer' in globalThis };
}

async function fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(path)).arrayBuffer());
}
