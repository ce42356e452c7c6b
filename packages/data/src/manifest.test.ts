import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChunkEntry, Dataset, DatasetManifest } from './index.ts';
import {
  chunkBytes,
  createManifest,
  decodeChunk,
  decodeManifest,
  encodeManifest,
  sha256Hex,
} from './index.ts';

const bytesDataset: Dataset = {
  name: 'ramp',
  split: 'train',
  count: 10,
  sampleShape: [2, 3, 1],
  featureType: 'uint8',
  features: Uint8Array.from({ length: 60 }, (_, i) => i),
  labels: Uint8Array.from({ length: 10 }, (_, i) => i % 3),
  classNames: ['a', 'b', 'ü'],
};

const floatDataset: Dataset = {
  ...bytesDataset,
  featureType: 'float32',
  features: Float32Array.from({ length: 60 }, (_, i) => i / 7 - 3),
};

test('the hash is SHA-256', async () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(await sha256Hex(new TextEncoder().encode('abc'))).toBe(abc);
});

test.each([
  ['uint8', bytesDataset],
  ['float32', floatDataset],
])('the chunks of a %s data set give it back', async (_type, dataset) => {
  const manifest = await createManifest(dataset, { samplesPerChunk: 4 });
  expect(manifest.chunks.map(({ start, count }) => [start, count])).toEqual([
    [0, 4],
    [4, 4],
    [8, 2],
  ]);
  const features: number[] = [];
  const labels: number[] = [];
  for (const entry of manifest.chunks) {
    const bytes = chunkBytes(dataset, entry);
    expect(await sha256Hex(bytes)).toBe(entry.sha256);
    expect(bytes).toHaveLength(entry.bytes);
    const content = decodeChunk(manifest, entry, bytes);
    expect(content.features.constructor).toBe(dataset.features.constructor);
    features.push(...content.features);
    labels.push(...content.labels);
  }
  expect(features).toEqual([...dataset.features]);
  expect(labels).toEqual([...dataset.labels]);
});

test('float32 features are little-endian in a chunk', () => {
  const dataset = {
    ...floatDataset,
    count: 1,
    sampleShape: [1],
    features: Float32Array.of(1),
    labels: Uint8Array.of(2),
  };
  expect([...chunkBytes(dataset, { start: 0, count: 1 })]).toEqual([0, 0, 0x80, 0x3f, 2]);
});

test('chunkBytes refuses samples that the data set does not have', () => {
  expect(() => chunkBytes(bytesDataset, { start: 8, count: 3 })).toThrow(/0 to 10, got 8 to 11/);
});

test('decodeChunk refuses a wrong size and a wrong label', async () => {
  const manifest = await createManifest(bytesDataset);
  const [entry] = manifest.chunks as [ChunkEntry];
  const bytes = chunkBytes(bytesDataset, entry);
  const short = bytes.subarray(1);
  expect(() => decodeChunk(manifest, entry, short)).toThrow(
    /ramp train, chunk .*: expected 70 bytes, found 69/,
  );
  bytes[69] = 3;
  expect(() => decodeChunk(manifest, entry, bytes)).toThrow(/labels from 0 to 2, found 3/);
});

test('encoding is canonical and decoding undoes it', async () => {
  const manifest = await createManifest(bytesDataset, { samplesPerChunk: 4 });
  const reordered = Object.fromEntries(Object.entries(manifest).toReversed()) as unknown as DatasetManifest;
  expect(encodeManifest(reordered)).toEqual(encodeManifest(manifest));
  expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
  expect(new TextDecoder().decode(encodeManifest(manifest))).toMatch(
    /^\{"chunks":\[\{"bytes":28,"count":4,"sha256":"[0-9a-f]{64}","start":0\},.*"classNames":\["a","b","ü"\],"count":10/,
  );
});

const valid = await createManifest(bytesDataset, { samplesPerChunk: 5 });
const [chunk0, chunk1] = valid.chunks as [ChunkEntry, ChunkEntry];

test.each<[string, object, string]>([
  ['format', { format: 'gradwire-dataset/2' }, 'expected gradwire-dataset/1, found "gradwire-dataset/2"'],
  ['name', { name: 7 }, 'found 7'],
  ['split', { split: 'dev' }, 'expected train or test, found "dev"'],
  ['count', { count: 1e300 }, 'expected a positive integer, found 1e+300'],
  ['sampleShape', { sampleShape: [2, 0] }, 'found [2,0]'],
  ['featureType', { featureType: 'int64' }, 'found "int64"'],
  ['classNames', { classNames: [] }, 'found []'],
  ['classNames', { classNames: undefined }, 'found nothing'],
  ['chunks', { chunks: { length: 1 } }, 'a list of at most'],
  ['chunks', { chunks: [chunk0] }, 'expected 10 samples in all, found 5'],
  ['chunks[0].sha256', { chunks: [{ ...chunk0, sha256: '../../etc' }, chunk1] }, 'found "../../etc"'],
  [
    'chunks[1].start',
    { chunks: [chunk0, { ...chunk1, start: 4 }] },
    'expected 5, where the chunk before ends, found 4',
  ],
  ['chunks[1].count', { chunks: [chunk0, { ...chunk1, count: 0 }] }, 'found 0'],
  ['chunks[1].bytes', { chunks: [chunk0, { ...chunk1, bytes: 36 }] }, 'expected 35, found 36'],
])('decodeManifest refuses a wrong %s: %j', (field, change, problem) => {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...valid, ...change }));
  expect(() => decodeManifest(bytes)).toThrow(`manifest, ${field}: `);
  expect(() => decodeManifest(bytes)).toThrow(problem);
});

test('decodeManifest fails with its own error on any bytes', () => {
  const json = encodeManifest(valid);
  const damaged = fc.tuple(fc.nat(json.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
    const bytes = Uint8Array.from(json);
    bytes[at] = byte;
    return bytes;
  });
  const truncated = fc.nat(json.length - 1).map((length) => json.subarray(0, length));
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array(), damaged, truncated, fc.constant(new TextEncoder().encode('[]'))),
      (bytes) => {
        let code = 'decoded';
        try {
          decodeManifest(bytes);
        } catch (error) {
          code = (error as { code: string }).code;
        }
        expect(code).toMatch(/^(decoded|DATA_CORRUPT)$/);
      },
    ),
    { seed: 2, numRuns: 500 },
  );
});
