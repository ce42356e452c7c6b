import type { VectorMath } from '@gradwire/engine';
import { cannotCompile, readBinary } from '../read-binary.ts';
import { compileVectors } from './module.ts';
import { createWasmVectors } from './wasm-vectors.ts';

/**
 * Loads arithmetic on flat vectors in WebAssembly: the bits of `plainVectors` of `@gradwire/engine`, several times as
 * fast. Needs no tfjs.
 *
 * @param bytes - `@gradwire/kernels/vectors.wasm`; by default read from this package (in Node) or fetched from beside it.
 * @throws GradwireError `BACKEND_UNAVAILABLE` if the file cannot be read or the engine does not know its instructions.
 * @example
 * const engine = createEngine(plan, { vectors: await loadVectors() });
 */
export async function loadVectors(bytes?: Uint8Array<ArrayBuffer>): Promise<VectorMath> {
  const binary = bytes ?? (await readBinary('vectors.wasm'));
  try {
    return createWasmVectors(await compileVectors(binary));
  } catch (cause) {
    throw cannotCompile(cause);
  }
}
