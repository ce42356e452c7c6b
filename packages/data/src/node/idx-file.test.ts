import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { writeIdx } from '../write-idx.ts';
import { readIdxFile, writeIdxFile } from './index.ts';
import { readUnpacked } from './unpacked-file.ts';

const array = {
  dtype: 'int16',
  shape: [300, 40],
  data: Int16Array.from({ length: 12_000 }, (_, i) => (i * 7919) % 30_011),
} as const;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'gradwire-idx-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

test.each(['plain', 'packed.gz'])('what is written to %s is read, and no other file stays', async (name) => {
  const directory = await folder();
  const path = join(directory, 'new', name);
  await writeIdxFile(path, array);
  expect(await readIdxFile(path)).toEqual(array);
  expect(await readdir(join(directory, 'new'))).toEqual([name]);
  const bytes = await readFile(path);
  expect(writeIdx(array)).toEqual(Uint8Array.from(name.endsWith('.gz') ? gunzipSync(bytes) : bytes));
});

test('the content, not the name, tells that a file is compressed', async () => {
  const path = join(await folder(), 'labels');
  await writeFile(path, gzipSync(writeIdx(array)));
  expect(await readIdxFile(path)).toEqual(array);
});

test('a file of several gzip members is read', async () => {
  const path = join(await folder(), 'two.gz');
  const bytes = writeIdx(array);
  await writeFile(path, Buffer.concat([gzipSync(bytes.subarray(0, 99)), gzipSync(bytes.subarray(99))]));
  expect(await readIdxFile(path)).toEqual(array);
});

const packed = gzipSync(writeIdx(array));
const damaged = packed.map((byte, i) => (i === packed.length >> 1 ? byte ^ 0xff : byte));
const wrongSum = packed.map((byte, i) => (i === packed.length - 8 ? byte ^ 1 : byte));

test.each([
  [
    'truncated',
    packed.subarray(0, packed.length >> 1),
    /expected a whole gzip file, found one that ends too early/,
  ],
  ['without its last byte', packed.subarray(0, -1), /ends too early, after 24,012 unpacked bytes/],
  ['damaged inside', damaged, /found one that is damaged/],
  ['of another check sum', wrongSum, /found one that is damaged/],
  ['only the first bytes', packed.subarray(0, 2), /ends too early/],
  ['empty', new Uint8Array(0), /expected an IDX file.*found an empty file/],
  ['of a shorter array', gzipSync(writeIdx(array).subarray(0, 999)), /expected 24,012 bytes .* found 999/],
])('a file that is %s is refused by name', async (_problem, bytes, message) => {
  const path = join(await folder(), 'images.gz');
  await writeFile(path, bytes);
  const error = await readIdxFile(path).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'DATA_CORRUPT', message: expect.stringMatching(message) });
  expect((error as Error).message.startsWith(`${path}: `)).toBe(true);
});

test('a file may not unpack to more than allowed', async () => {
  const path = join(await folder(), 'bomb.gz');
  await writeFile(path, gzipSync(Buffer.alloc(5_000_000)));
  await expect(readUnpacked(path, { maxBytes: 1000 })).rejects.toMatchObject({
    code: 'DATA_CORRUPT',
    message: `${path}: expected a whole gzip file, found one that unpacks to more than 1,000 bytes`,
  });
});

test('a missing file and a folder are told apart', async () => {
  const directory = await folder();
  const missing = join(directory, 'nothing');
  await expect(readIdxFile(missing)).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
    message: `${missing}: there is no such file`,
  });
  await expect(readIdxFile(directory)).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
    message: expect.stringMatching(/cannot be read \(EISDIR/),
  });
});

test('a signal stops the reading', async () => {
  const path = join(await folder(), 'images.gz');
  await writeFile(path, packed);
  await expect(readIdxFile(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'CANCELLED',
  });
});

test('a file that cannot be written is reported and leaves nothing', async () => {
  const directory = await folder();
  await writeFile(join(directory, 'file'), '');
  await expect(writeIdxFile(join(directory, 'file', 'x'), array)).rejects.toMatchObject({
    code: 'FILE_WRITE_FAILED',
  });
  expect(await readdir(directory)).toEqual(['file']);
});
