import { prepareBackend } from '@gradwire/backend';
import { createShardOrder, type Dataset } from '@gradwire/data';
import { addSums, createTreeSum, type Sums } from '@gradwire/engine';
import { initialWeights } from '@gradwire/models';
import { featureStatistics } from '@gradwire/preprocess';
import { type Recipe, recipes, withOverrides } from '@gradwire/recipes';
import { createBatcher, createTrainer, type Trainer } from '@gradwire/training';
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { readMnist } from '../harness/mnist.ts';
import { relativeDifference } from '../harness/relative-difference.ts';

let data: Dataset;

beforeAll(async () => {
  await prepareBackend('wasm');
  data = (await readMnist()).train;
});

interface Sides {
  readonly trainer: Trainer;
  readonly whole: Sums;
  readonly tree: Sums;
}

/** The gradient sum of one step's batch: in one piece, and as workers and coordinator make it. */
function bothSums(recipe: Recipe, step: number): Sides {
  const { shards, batchSize, seed } = recipe;
  const trainer = createTrainer({ recipe });
  trainer.setWeights(initialWeights(recipe.model, seed));
  const batcher = createBatcher(recipe, featureStatistics(data));
  const order = createShardOrder({ count: data.count, shards, seed });
  const sums = (indices: Uint32Array): Sums => ({
    samples: indices.length,
    ...trainer.gradient(batcher(data, indices)),
  });
  const parts = Array.from({ length: shards }, (_, shard) =>
    order.microBatch({ epoch: 0, step, batchSize, shard }),
  );
  const tree = createTreeSum<Sums>(shards, addSums, { isPresent: (shard) => parts[shard]?.length !== 0 });
  for (const [shard, indices] of parts.entries()) {
    if (indices.length > 0) tree.add({ lo: shard, hi: shard + 1 }, sums(indices));
  }
  const whole = sums(Uint32Array.from(parts.flatMap((indices) => [...indices])));
  return { trainer, whole, tree: tree.root() as Sums };
}

function expectEqual({ trainer, whole, tree }: Sides): void {
  expect(tree.samples).toBe(whole.samples);
  expect(relativeDifference(trainer.layout, whole.gradient, tree.gradient)).toBeLessThan(1e-5);
  expect((tree.metrics[0] ?? 0) / (whole.metrics[0] ?? 0)).toBeCloseTo(1, 6);
  expect(tree.metrics[1]).toBe(whole.metrics[1]);
  trainer.dispose();
}

test.each(recipes)(
  '$name: the tree sum of the micro-batches is the gradient of the whole batch, to 1e-5',
  (recipe) => {
    const sides = bothSums(recipe, 3);
    expect(sides.whole.samples).toBe(recipe.batchSize);
    expectEqual(sides);
  },
);

test.each([
  { batchSize: 100, shards: 7 },
  { batchSize: 5, shards: 9 },
  { batchSize: 64, shards: 1 },
])('batch size $batchSize over $shards shards: the same', (overrides) => {
  const [first] = recipes;
  expectEqual(bothSums(withOverrides(first as Recipe, overrides), 0));
});

test('a gradient that misses one sample is told apart', () => {
  const { trainer, whole } = bothSums(recipes[0] as Recipe, 3);
  const { trainer: other, whole: fewer } = bothSums(
    withOverrides(recipes[0] as Recipe, { batchSize: 127 }),
    3,
  );
  expect(relativeDifference(trainer.layout, whole.gradient, fewer.gradient)).toBeGreaterThan(1e-4);
  trainer.dispose();
  other.dispose();
});

test.each(recipes)('$name: 20 steps and 3 evaluations leave as much in tfjs as they found', (recipe) => {
  const trainer = createTrainer({ recipe });
  const weights = initialWeights(recipe.model, recipe.seed);
  const batcher = createBatcher(recipe, featureStatistics(data));
  const indices = Uint32Array.from({ length: 16 }, (_, i) => i * 11);
  const round = (): { numTensors: number; numBytes: number; numDataBuffers: number } => {
    trainer.setWeights(weights);
    trainer.gradient(batcher(data, indices));
    const { numTensors, numBytes, numDataBuffers } = memory();
    return { numTensors, numBytes, numDataBuffers };
  };
  const first = round();
  expect(first.numTensors).toBeGreaterThanOrEqual(trainer.layout.parameters.length);
  for (let i = 0; i < 20; i += 1) {
    expect(round()).toEqual(first);
    if (i % 8 === 0) trainer.evaluate(batcher(data, indices));
  }
  trainer.dispose();
  expect(memory().numTensors).toBe(first.numTensors - trainer.layout.parameters.length);
});
