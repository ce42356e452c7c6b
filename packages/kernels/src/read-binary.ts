import { GradwireError } from '@gradwire/errors';

/**
 * A WebAssembly file of this package, read (in Node) or fetched from beside it.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` if it cannot be had.
 */
export async function readBinary(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../dist/${name}`, import.meta.url);
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

/** What to say where WebAssembly with SIMD is missing. */
export function cannotCompile(cause: unknown): GradwireError {
  return new GradwireError('BACKEND_UNAVAILABLE', 'this JavaScript engine does not compile the kernels', {
    cause,
    hint: 'The kernels need WebAssembly with SIMD: Node 20, Chrome 91, Firefox 89, Safari 16.4 or later.',
  });
}
