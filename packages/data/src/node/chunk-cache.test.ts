import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sha256Hex } from '../sha256.ts';
import type { ChunkCache } from './index.ts';
import { createChunkCache, defaultCacheDirectory } from './index.ts';

const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i);
const sha256 = await sha256Hex(bytes);

async function openCache(): Promise<{ directory: string; cache: ChunkCache }> {
  const parent = await mkdtemp(join(tmpdir(), 'gradwire-chunks-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  const directory = join(parent, 'chunks');
  return { directory, cache: createChunkCache(directory) };
}

test('what is written is read, also by another process', async () => {
  const { directory, cache } = await openCache();
  expect(await cache.read(sha256)).toBeUndefined();
  await cache.write(sha256, bytes);
  expect(Uint8Array.from((await createChunkCache(directory).read(sha256)) ?? [])).toEqual(bytes);
});

test('many writers of one chunk leave one whole file', async () => {
  const { directory, cache } = await openCache();
  await Promise.all(Array.from({ length: 8 }, () => cache.write(sha256, bytes)));
  expect(await readdir(join(directory, sha256.slice(0, 2)))).toEqual([sha256]);
  expect(await cache.read(sha256)).toHaveLength(5000);
});

test('a damaged chunk is removed and counts as absent', async () => {
  const { directory } = await openCache();
  const damages: string[] = [];
  const cache = createChunkCache(directory, (message) => damages.push(message));
  await cache.write(sha256, bytes);
  expect(await cache.read(sha256)).toHaveLength(5000);
  expect(damages).toEqual([]);
  await writeFile(join(directory, sha256.slice(0, 2), sha256), bytes.subarray(1));
  expect(await cache.read(sha256)).toBeUndefined();
  expect(damages).toEqual([expect.stringContaining(`${sha256} is damaged`)]);
  expect(await readdir(join(directory, sha256.slice(0, 2)))).toEqual([]);
});

test('bytes with another hash are not stored', async () => {
  const { cache } = await openCache();
  await expect(cache.write(sha256, bytes.subarray(1))).rejects.toMatchObject({
    code: 'DATA_CORRUPT',
    message: expect.stringContaining(`expected SHA-256 ${sha256}, found `),
  });
  expect(await cache.read(sha256)).toBeUndefined();
});

test('a name that is no hash never reaches the disk', async () => {
  const { cache } = await openCache();
  await expect(cache.read('../../etc/passwd')).rejects.toThrow(TypeError);
  await expect(cache.write(sha256.toUpperCase(), bytes)).rejects.toThrow(TypeError);
});

test.each([
  ['linux', {}, '/home/ada/.cache/gradwire'],
  ['linux', { XDG_CACHE_HOME: '/fast' }, '/fast/gradwire'],
  ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/ada/.cache/gradwire'],
  ['win32', { LOCALAPPDATA: '/users/ada/local' }, '/users/ada/local/gradwire'],
  ['win32', {}, '/home/ada/.cache/gradwire'],
] as const)('the cache on %s with %j is %s', (platform, env, expected) => {
  expect(defaultCacheDirectory({ platform, env, home: '/home/ada' })).toBe(join(expected));
});
