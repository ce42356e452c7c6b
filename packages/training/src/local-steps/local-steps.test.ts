import { prepareBackend } from '@gradwire/backend';
import { createShardOrder } from '@gradwire/data';
import { averageGradient, createOptimizer, learningRateAt } from '@gradwire/engine';
import { initialWeights } from '@gradwire/models';
import { uniform } from '@gradwire/random';
import { countSteps, findRecipe, type Recipe } from '@gradwire/recipes';
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { createBatcher, createShardStep, createTrainer, type GradientSum } from '../index.ts';

beforeAll(async () => {
  await prepareBackend('wasm');
});

const count = 50;
const samples = {
  features: Uint8Array.from(uniform({ seed: 1, stream: 'noise' }, count * 784), (x) => 256 * x),
  labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
};

const local: Recipe = {
  ...findRecipe('mnist-logistic'),
  features: { type: 'normalise' },
  optimizer: { type: 'adam' },
  schedule: { type: 'step', learningRate: 0.01, factor: 0.5, everyEpochs: 1, warmupSteps: 3 },
  strategy: { type: 'diloco', localSteps: 3 },
  l2: 0.01,
  clipNorm: 2,
  batchSize: 8,
  shards: 3,
};

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, x, i) => Math.max(largest, Math.abs(x - (b[i] ?? Number.NaN))), 0);
}

/** What each shard contributes to a step, and how many tensors that left. */
function contributions(recipe: Recipe, place: { epoch: number; step: number }): GradientSum[] {
  const trainer = createTrainer({ recipe });
  trainer.setWeights(initialWeights(recipe.model, 1));
  const shardStep = createShardStep({
    recipe,
    trainer,
    batcher: createBatcher(recipe),
    trainingCount: count,
  });
  const order = createShardOrder({ count, shards: recipe.shards, seed: recipe.seed });
  const { batchSize } = countSteps(recipe, count);
  const tensors = memory().numTensors;
  const sums = Array.from({ length: recipe.shards }, (_, shard) =>
    shardStep(
      { ...place, shard, into: new Float32Array(trainer.layout.size) },
      samples,
      order.microBatch({ ...place, shard, batchSize }),
    ),
  );
  expect(memory().numTensors).toBe(tensors);
  expect(largestDifference(trainer.weights(), initialWeights(recipe.model, 1))).toBe(0);
  trainer.dispose();
  return sums;
}

test('a shard trains on the micro-batches that synchronous training would give it, at the same rates', () => {
  // 50 samples are 7 batches of 8: the last step of an epoch has one local step instead of three.
  for (const [step, localSteps] of [
    [1, [3, 4, 5]],
    [2, [6]],
  ] as const) {
    const trainer = createTrainer({ recipe: local });
    const batcher = createBatcher(local);
    const order = createShardOrder({ count, shards: 3, seed: local.seed });
    const before = initialWeights(local.model, 1);
    const found = contributions(local, { epoch: 1, step });
    for (const [shard, { gradient, metrics }] of found.entries()) {
      const weights = before.slice();
      const adam = createOptimizer(local.optimizer, trainer.layout);
      let [used, loss] = [0, 0];
      for (const localStep of localSteps) {
        const indices = order.microBatch({ epoch: 1, step: localStep, shard, batchSize: 8 });
        if (indices.length === 0) continue;
        trainer.setWeights(weights);
        const sum = trainer.gradient(batcher(samples, indices));
        const { layout } = trainer;
        averageGradient(sum.gradient, weights, { samples: indices.length, l2: 0.01, clipNorm: 2, layout });
        // The second epoch has half the rate; the warm-up is over.
        adam.step({ weights, gradient: sum.gradient }, 0.005);
        used += indices.length;
        loss += sum.metrics[0] ?? 0;
      }
      const move = weights.map((weight, i) => ((before[i] ?? 0) - weight) * used);
      expect(largestDifference(gradient, move)).toBe(0);
      expect(Math.max(...move) > 0.001).toBe(used > 0);
      expect(metrics[0]).toBeCloseTo(loss, 10);
      expect(metrics[1]).toBeLessThanOrEqual(used);
    }
    trainer.dispose();
  }
});

test('fewer samples in a batch than shards: each batch is trained on at its own local step', () => {
  const sparse: Recipe = {
    ...local,
    model: { ...local.model, layers: [{ type: 'dropout', rate: 0.5 }, ...local.model.layers] },
    optimizer: { type: 'sgd' },
    // Each local step has a rate of its own.
    schedule: { type: 'constant', learningRate: 0.1, warmupSteps: 100 },
    batchSize: 2,
  };
  const trainer = createTrainer({ recipe: sparse });
  const batcher = createBatcher(sparse);
  const order = createShardOrder({ count, shards: 3, seed: sparse.seed });
  const before = initialWeights(sparse.model, 1);
  const position = countSteps(sparse, count).local;
  const given: number[][] = [];
  for (const [shard, { gradient }] of contributions(sparse, { epoch: 1, step: 1 }).entries()) {
    const weights = before.slice();
    const sgd = createOptimizer(sparse.optimizer, trainer.layout);
    const localSteps: number[] = [];
    for (const localStep of [3, 4, 5]) {
      const indices = order.microBatch({ epoch: 1, step: localStep, shard, batchSize: 2 });
      if (indices.length === 0) continue;
      localSteps.push(localStep);
      const step = position.stepsPerEpoch + localStep;
      trainer.setWeights(weights);
      const sum = trainer.gradient(batcher(samples, indices), { step, shard }).gradient;
      const { layout } = trainer;
      averageGradient(sum, weights, { samples: indices.length, l2: 0.01, clipNorm: 2, layout });
      sgd.step({ weights, gradient: sum }, learningRateAt(sparse.schedule, { ...position, step }));
    }
    given.push(localSteps);
    const move = weights.map((weight, i) => ((before[i] ?? 0) - weight) * localSteps.length);
    expect(largestDifference(gradient, move)).toBe(0);
  }
  // One sample each: the second shard has none in the middle, the third none at first.
  expect(given).toEqual([
    [3, 4],
    [3, 5],
    [4, 5],
  ]);
  trainer.dispose();
});

test('one local step of plain descent moves the weights as a synchronous step does', () => {
  const plain: Recipe = {
    ...local,
    optimizer: { type: 'sgd' },
    schedule: { type: 'constant', learningRate: 0.1 },
  };
  const { l2: _, clipNorm: __, strategy: ___, ...synchronous } = plain;
  const place = { epoch: 0, step: 2 };
  const gradients = contributions(synchronous, place);
  const moves = contributions({ ...synchronous, strategy: { type: 'local-sgd', localSteps: 1 } }, place);
  for (const [shard, { gradient, metrics }] of moves.entries()) {
    const expected = gradients[shard] as GradientSum;
    expect(metrics).toEqual(expected.metrics);
    expect(
      largestDifference(
        gradient,
        expected.gradient.map((x) => 0.1 * x),
      ),
    ).toBeLessThan(1e-5);
  }
});
