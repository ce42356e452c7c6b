import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GradwireError } from '@gradwire/errors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeSnapshot, encodeSnapshot } from './encode-snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { openSnapshots } from './snapshot-store.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-snapshots-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Numbers that a careless copy changes: -0, NaN with a payload, a denormal, infinity. */
const awkward = new Float32Array(Uint32Array.of(0x8000_0000, 0x7fc0_1234, 0x0000_0001, 0x7f80_0000).buffer);

function snapshot(step: number): Snapshot {
  return {
    record: {
      run: '0001-small',
      term: 2,
      recipeHash: 'ab',
      data: { train: 'cd', test: 'ef' },
      step,
      lastRound: { index: step - 1, task: 'step', version: step - 1, epoch: 0, step: step - 1, leafCount: 4 },
      epochTotals: { samples: 20, loss: 0.1 + 0.2, correct: 3 },
      seconds: 1.5,
      backends: { x: 'wasm' },
      files: { 'metrics.jsonl': { bytes: 3, sha256: 'ee' } },
    },
    weights: awkward,
    optimizer: { first: awkward.toReversed(), second: Float32Array.of(step, 2, 3, 4) },
  };
}

const bits = (values: Float32Array | undefined): number[] => [
  ...new Uint32Array(values?.slice().buffer ?? []),
];

test('scenario 11, resume: a snapshot comes back, bit for bit', async () => {
  const store = openSnapshots(folder);
  const written = snapshot(7);
  expect(await store.write(written)).toBeGreaterThan(48);
  const read = await store.read(7);
  expect(read.record).toEqual(written.record);
  expect(bits(read.weights)).toEqual(bits(awkward));
  expect(Object.keys(read.optimizer)).toEqual(['first', 'second']);
  for (const name of ['first', 'second'])
    expect(bits(read.optimizer[name])).toEqual(bits(written.optimizer[name]));
  expect(read.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
});

function refuses(bytes: Uint8Array): boolean {
  try {
    decodeSnapshot(bytes, 'x');
    return false;
  } catch (error) {
    return error instanceof GradwireError && error.code === 'FILE_CORRUPT';
  }
}

test('whichever single bit flips, and wherever the file ends early, it is refused', async () => {
  const good = await encodeSnapshot(snapshot(7));
  expect(decodeSnapshot(good, 'x').record.step).toBe(7);
  const missed: string[] = [];
  for (let at = 0; at < good.length; at += 1) {
    if (!refuses(good.subarray(0, at))) missed.push(`cut at ${at}`);
    for (let bit = 0; bit < 8; bit += 1) {
      const bad = good.slice();
      bad[at]! ^= 1 << bit;
      if (!refuses(bad)) missed.push(`byte ${at}, bit ${bit}`);
    }
  }
  expect(missed).toEqual([]);
});

test('a file of another version is named', async () => {
  const text = new TextDecoder('latin1').decode(await encodeSnapshot(snapshot(7)));
  const other = Uint8Array.from(text.replace('gradwire-snapshot/1', 'gradwire-snapshot/9'), (c) =>
    c.charCodeAt(0),
  );
  expect(() => decodeSnapshot(other, 'a')).toThrow(
    'a: expected format gradwire-snapshot/1, found gradwire-snapshot/9',
  );
});

test('steps are listed newest first, whatever else lies there; surplus and torn files are removed', async () => {
  const store = openSnapshots(folder);
  expect(await store.steps()).toEqual([]);
  for (const step of [9, 100, 20]) await store.write(snapshot(step));
  await writeFile(join(folder, 'snapshots', 'notes.txt'), '');
  await writeFile(join(folder, 'snapshots', '.step-00000101.safetensors.ab.tmp'), 'torn');
  expect(await store.steps()).toEqual([100, 20, 9]);
  await store.prune((step) => step !== 20);
  expect((await readdir(join(folder, 'snapshots'))).sort()).toEqual([
    'notes.txt',
    'step-00000009.safetensors',
    'step-00000100.safetensors',
  ]);
});

test('a torn file is refused by name, and another one of the same step replaces it', async () => {
  const store = openSnapshots(folder);
  await store.write(snapshot(5));
  await truncate(store.pathOf(5), 100);
  await expect(store.read(5)).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringContaining(store.pathOf(5)),
  });
  await store.write(snapshot(5));
  expect((await store.read(5)).record.step).toBe(5);
  await expect(store.read(6)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  expect((await readFile(store.pathOf(5))).length % 8).toBe(0);
});
