import type { LeaseMessage, PartialMessage } from '@gradwire/protocol';
import { findRecipe, type Recipe } from '@gradwire/recipes';
import type { Dataset } from '@gradwire/data';
import { expect, test } from 'vitest';
import { type Bench, openBench } from '../bench.ts';

const recipe: Recipe = { ...findRecipe('mnist-logistic'), batchSize: 32, shards: 8 };
const count = 256;

function dataset(split: 'train' | 'test'): Dataset {
  return {
    name: 'mnist',
    split,
    count,
    features: Uint8Array.from({ length: count * 784 }, (_, i) => (i * 31) % 251),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
    sampleShape: [28, 28, 1],
    featureType: 'uint8',
    classNames: [...'0123456789'],
  };
}

const data = { train: dataset('train'), test: dataset('test') };
const statistics = { mean: [0.13], deviation: [0.31] };

function lease(version: number, leaves: readonly number[]): LeaseMessage {
  return {
    type: 'lease',
    term: 1,
    round: version,
    task: 'step',
    version,
    step: 1,
    epoch: 0,
    leaves,
    leafCount: 8,
  };
}

/** The bytes of all sums, in order. */
async function compute(bench: Bench, message: LeaseMessage): Promise<string> {
  const sums: [number, string][] = [];
  for await (const { lo, gradient } of bench.compute(message) as AsyncIterable<PartialMessage>) {
    sums.push([lo, Buffer.from(gradient.slice().buffer).toString('base64')]);
  }
  return JSON.stringify(sums.sort(([a], [b]) => a - b));
}

const weights = (seed: number): Float32Array =>
  Float32Array.from({ length: 7850 }, (_, i) => Math.sin(i * seed) / 50);

const every = [0, 1, 2, 3, 4, 5, 6, 7];

test('a version that comes again with other weights, as after a roll-back, is computed with these by every thread', async () => {
  await using bench = await openBench({ backend: 'wasm', threads: 3, recipe, statistics, data });
  bench.setWeights(weights(2));
  const expected = await compute(bench, lease(1_000, every));
  for (let round = 1; round <= 30; round += 1) {
    bench.setWeights(weights(1));
    await compute(bench, lease(round, every));
    // Not enough for all of them: some keep what they have.
    bench.setWeights(weights(3));
    await compute(bench, lease(round + 1, [round % 8]));
    bench.setWeights(weights(2));
    expect(await compute(bench, lease(round, every)), `round ${round}`).toBe(expected);
  }
});
