import { GradwireError } from '@gradwire/errors';

/**
 * A WebAssembly file of this package, read (in Node) or fetched from beside it.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` if it cannot be had.
 */
export async function readBinary(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../dist/${name}`, import.meta.url);
  try {
    return await (url.protocol === 'file:' ? readFile(url) : download(url));
  } catch (cause) {
    throw new GradwireError('BACKEND_UNAVAILABLE', `the kernels in ${url.href} cannot be read`, {
      cause,
      hint: 'In a clone of the repository, run `npm run build`; elsewhere, install the package again.',
    });
  }
}

/** Without an import, which bundlers for browsers would stumble over. */
function readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  return process.getBuiltinModule('node:fs/promises').readFile(url);
}

async function download(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** What to say where WebAssembly with SIMD is missing. */
export function cannotCompile(cause: unknown): GradwireError {
  return new GradwireError('BACKEND_UNAVAILABLE', 'this JavaScript engine does not compile the kernels', {
    cause,
    hint: 'The bytes must be those of the .wasm file, and the engine must know SIMD: Node 20, Chrome 91, Firefox 89, Safari 16.4 or later.',
  });
}
