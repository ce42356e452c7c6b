import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

test('the module brings no data, no start function and no imports but the heap', async () => {
  const bytes = new Uint8Array(await readFile(new URL('../dist/kernels.wasm', import.meta.url)));
  const [start, data, dataCount] = [8, 11, 12];
  const sections = sectionIds(bytes);
  for (const section of [start, data, dataCount]) expect(sections).not.toContain(section);
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyReader };
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  expect(imports.map(({ module, name }) => `${module}.${name}`).sort()).toEqual([
    'env.memory',
    'heap.free',
    'heap.malloc',
  ]);
});

interface WebAssemblyReader {
  Module: (new (
    bytes: Uint8Array,
  ) => object) & { imports(module: object): { module: string; name: string }[] };
}

/** Section ids of a WebAssembly file: after 8 bytes of header, each section is an id, a LEB128 size and its contents. */
function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++] as number);
    let [size, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++] as number;
      size |= (byte & 127) << shift;
      shift += 7;
    } while (byte & 128);
    at += size;
  }
  return ids;
}
