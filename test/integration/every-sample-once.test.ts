import type { CoordinatorEvent, Splits } from '@gradwire/coordinator';
import { readModel } from '@gradwire/checkpoint';
import { createShardOrder, type Dataset, stepsPerEpoch } from '@gradwire/data';
import { initialWeights } from '@gradwire/models';
import type { Recipe } from '@gradwire/recipes';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { smallRecipe, startSmallRun } from '../harness/small-run.ts';

describe('of 60,000 samples each is in exactly one micro-batch an epoch', () => {
  const count = 60_000;
  const cases = [
    { batchSize: 128, shards: 8 },
    { batchSize: 100, shards: 7 },
    { batchSize: 127, shards: 13 },
    { batchSize: 1, shards: 3 },
    { batchSize: 5, shards: 11 },
    { batchSize: 59_999, shards: 64 },
    { batchSize: 70_000, shards: 9 },
  ];
  test.each(cases)('batch size $batchSize, $shards shards', ({ batchSize, shards }) => {
    for (const epoch of [0, 5]) {
      const order = createShardOrder({ count, shards, seed: 1 });
      const uses = new Uint8Array(count);
      const steps = stepsPerEpoch(count, batchSize);
      for (let step = 0; step < steps; step += 1) {
        let samples = 0;
        for (let shard = 0; shard < shards; shard += 1) {
          const indices = order.microBatch({ epoch, step, batchSize, shard });
          for (const index of indices) uses[index] = (uses[index] ?? 0) + 1;
          samples += indices.length;
        }
        expect(samples).toBe(Math.min(batchSize, count - step * batchSize));
      }
      expect(uses.every((n) => n === 1)).toBe(true);
    }
  });
});

function whole(max: number): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max });
}

test('of any number of samples each is in exactly one micro-batch an epoch', () => {
  fc.assert(
    fc.property(whole(2_000), whole(300), whole(40), whole(0xffff), (count, batchSize, shards, seed) => {
      const order = createShardOrder({ count, shards, seed });
      const uses = new Uint8Array(count);
      for (let step = 0; step < stepsPerEpoch(count, batchSize); step += 1) {
        for (let shard = 0; shard < shards; shard += 1) {
          for (const i of order.microBatch({ epoch: 1, step, batchSize, shard }))
            uses[i] = (uses[i] ?? 0) + 1;
        }
      }
      expect(uses.every((n) => n === 1)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

// Here no index is believed: sample i alone has a 1 in feature i, so that only its gradient moves row i of the
// kernel, and the weights themselves tell how often each sample was used.
const samples = 97;
const classes = 3;
const learningRate = 0.01;
const telling: Recipe = {
  ...smallRecipe,
  name: 'telling',
  dataset: 'telling',
  model: {
    name: 'linear',
    inputShape: [samples],
    layers: [{ type: 'dense', units: classes }],
  },
  optimizer: { type: 'sgd' },
  schedule: { type: 'constant', learningRate },
  epochs: 1,
};

function tellingData(): Splits {
  const features = new Uint8Array(samples * samples);
  for (let i = 0; i < samples; i += 1) features[i * samples + i] = 255;
  const labels = Uint8Array.from({ length: samples }, (_, i) => i % classes);
  const shape = { sampleShape: [samples], featureType: 'uint8', classNames: ['a', 'b', 'c'] } as const;
  const split = (name: 'train' | 'test'): Dataset => ({
    name: 'telling',
    split: name,
    count: samples,
    features,
    labels,
    ...shape,
  });
  return { train: split('train'), test: split('test') };
}

/** How far a step moves the weight from sample i to its own class, times the batch's size: about 1 a use. */
function usesOf(sample: number, initial: Float32Array, final: Float32Array): number {
  const [label, row] = [sample % classes, sample * classes];
  const powers = Array.from({ length: classes }, (_, k) => Math.exp(initial[row + k] ?? 0));
  const share = (powers[label] ?? 0) / powers.reduce((sum, power) => sum + power, 0);
  return ((final[row + label] ?? 0) - (initial[row + label] ?? 0)) / (learningRate * (1 - share));
}

test.each([
  { batchSize: 10, shards: 7, workers: 2 },
  { batchSize: 96, shards: 8, workers: 3 },
  { batchSize: 3, shards: 5, workers: 1 },
])(
  '$workers workers, batch size $batchSize, $shards shards: the weights show one use of each sample',
  async (given) => {
    const { batchSize, shards, workers } = given;
    const recipe = { ...telling, batchSize, shards };
    await using run = await startSmallRun(recipe, tellingData());
    for (let n = 0; n < workers; n += 1) run.work();
    await run.coordinator.done;
    const { weights } = await readModel(run.directory);
    const start = initialWeights(recipe.model, recipe.seed);
    const moved = Array.from({ length: samples }, (_, i) => usesOf(i, start, weights));
    const rest = samples % batchSize;
    // A sample of the last, smaller step counts for more in its mean.
    const inFull = moved.filter((x) => Math.abs(x * batchSize - 1) < 0.1).length;
    const inRest = moved.filter((x) => Math.abs(x * rest - 1) < 0.1).length;
    expect({ inFull, inRest }).toEqual({ inFull: samples - rest, inRest: rest });
  },
);

test('the ledger covers every shard of every step once, whoever worked', async () => {
  const recipe = { ...smallRecipe, batchSize: 30, shards: 7, epochs: 2 };
  await using run = await startSmallRun(recipe);
  for (let n = 0; n < 3; n += 1) run.work();
  await run.coordinator.done;
  const steps = run.events.filter((event): event is StepEvent => event.type === 'step');
  expect(steps.length).toBe(14);
  for (const { record } of steps) {
    const leaves = record.contributions.flatMap(({ lo, hi }) =>
      Array.from({ length: hi - lo }, (_, i) => lo + i),
    );
    expect(new Set(leaves).size).toBe(leaves.length);
    expect(record.samples).toBe(record.contributions.reduce((sum, { samples }) => sum + samples, 0));
    expect(record.samples).toBe((record.step - 1) % 7 === 6 ? 203 % 30 : 30);
  }
});

type StepEvent = Extract<CoordinatorEvent, { type: 'step' }>;
