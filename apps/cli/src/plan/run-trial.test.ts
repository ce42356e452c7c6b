import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '@gradwire/data';
import { findRecipe } from '@gradwire/recipes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loopback } from './link.ts';
import { runTrial, type Trial } from './run-trial.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-trial-'));
});
afterAll(() => rm(folder, { recursive: true }));

function digits(split: 'train' | 'test'): Dataset {
  const labels = Uint8Array.from({ length: 200 }, (_, i) => i % 10);
  const features = Uint8Array.from({ length: 200 * 784 }, (_, i) => i % 256);
  const shape = { sampleShape: [28, 28, 1], featureType: 'uint8', classNames: [...'0123456789'] } as const;
  return { name: 'mnist', split, count: 200, features, labels, ...shape };
}

interface Tried {
  readonly trial: Promise<Trial>;
  readonly seen: readonly number[];
}

/** With one worker process. */
function tryFourSteps(signal: AbortSignal, batchSize = 40): Tried {
  const seen: number[] = [];
  const trial = runTrial({
    recipe: { ...findRecipe('mnist-logistic'), batchSize, epochs: 1_000 },
    data: { train: digits('train'), test: digits('test'), source: 'this test' },
    workers: 1,
    link: loopback,
    steps: 4,
    workerArguments: ['--threads', '1', '--backend', 'wasm', '--cache-dir', folder],
    signal,
    onStep: (step) => seen.push(step),
  });
  return { trial, seen };
}

test('a trial is so many steps long', async () => {
  const { trial, seen } = tryFourSteps(new AbortController().signal);
  expect((await trial).stepMs).toBeGreaterThan(0);
  expect(seen).toEqual([1, 2, 3, 4]);
});

test('steps are timed although an evaluation follows each of them', async () => {
  const { trial, seen } = tryFourSteps(new AbortController().signal, 200);
  expect((await trial).stepMs).toBeGreaterThan(0);
  expect(seen).toEqual([1, 2, 3, 4]);
});

test('a trial that was stopped before it began makes no step', async () => {
  const { trial, seen } = tryFourSteps(AbortSignal.abort());
  await expect(trial).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(seen).toEqual([]);
});
