import { readFile } from 'node:fs/promises';
import { compileKernels } from './module.ts';
import { registerKernels } from './register-kernels.ts';

/**
 * Compiles the kernels and registers them with tfjs's wasm backend. Resolves to the bytes of the WebAssembly file, whose
 * hash names the kernels.
 *
 * @param bytes - `@gradwire/kernels/kernels.wasm`; by default read from this package, which needs Node.
 */
export async function loadKernels(bytes?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const binary = bytes ?? (await readFile(new URL('../dist/kernels.wasm', import.meta.url)));
  await compileKernels(binary);
  registerKernels();
  return binary;
}
