import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPicture } from './read-picture.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-pictures-'));
});
afterAll(() => rm(folder, { recursive: true }));

const png = encode({ width: 2, height: 1, channels: 1, depth: 8, data: Uint8Array.of(0, 255) });

async function fileOf(name: string, content: Uint8Array | string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

test('reads a PNG', async () => {
  expect((await readPicture(await fileOf('good.png', png))).values).toEqual(Float32Array.of(0, 1));
});

test('a missing file and a folder are named', async () => {
  const missing = join(folder, 'missing.png');
  await expect(readPicture(missing)).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
    message: `${missing}: there is no such file`,
  });
  await expect(readPicture(folder)).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
});

test('a damaged file and one of another kind are named, and what is wrong with them', async () => {
  const text = await fileOf('text.png', 'this is not a picture, although its name says so');
  await expect(readPicture(text)).rejects.toMatchObject({
    code: 'DATA_CORRUPT',
    message: `${text}: expected a PNG picture, found a file of another kind`,
  });
  const cut = await fileOf('cut.png', png.slice(0, png.length - 20));
  await expect(readPicture(cut)).rejects.toMatchObject({
    code: 'DATA_CORRUPT',
    message: `${cut}: expected a PNG picture, found a file that ends too early`,
  });
});
