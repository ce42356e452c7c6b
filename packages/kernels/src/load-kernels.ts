import { compileKernels } from './module.ts';
import { cannotCompile, readBinary } from './read-binary.ts';
import { registerKernels } from './register-kernels.ts';

/**
 * Compiles the kernels and registers them with tfjs's wasm backend, before or after that is initialised. Resolves to the
 * bytes of the WebAssembly file: their hash names what computes. A second call changes nothing.
 *
 * @param bytes - `@gradwire/kernels/kernels.wasm`; by default read from this package (in Node) or fetched from beside it.
 * @throws GradwireError `BACKEND_UNAVAILABLE` if the file cannot be read or the engine does not know its instructions.
 * @example
 * await tf.setBackend('wasm');
 * await loadKernels();
 */
export async function loadKernels(bytes?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const binary = bytes ?? (await readBinary('kernels.wasm'));
  try {
    await compileKernels(binary);
  } catch (cause) {
    throw cannotCompile(cause);
  }
  registerKernels();
  return binary;
}
