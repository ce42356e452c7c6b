import { GradwireError } from '@gradwire/errors';
import { compileKernels } from './module.ts';
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
  const binary = bytes ?? (await readBinary());
  try {
    await compileKernels(binary);
  } catch (cause) {
    throw new GradwireError('BACKEND_UNAVAILABLE', 'this JavaScript engine does not compile the kernels', {
      cause,
      hint: 'The kernels need WebAssembly with SIMD: Node 20, Chrome 91, Firefox 89, Safari 16.4 or later.',
    });
  }
  registerKernels();
  return binary;
}

async function readBinary(): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL('../dist/kernels.wasm', import.meta.url);
  try {
    if (url.protocol !== 'file:') return new Uint8Array(await (await fetch(url)).arrayBuffer());
    const { readFile } = await import('node:fs/promises');
    return await readFile(url);
  } catch (cause) {
    throw new GradwireError('BACKEND_UNAVAILABLE', `the kernels in ${url.href} cannot be read`, {
      cause,
      hint: 'In a clone of the repository, run `npm run build`; elsewhere, install the package again.',
    });
  }
}
