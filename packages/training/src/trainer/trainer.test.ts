import { prepareBackend } from '@gradwire/backend';
import type { ModelSpec, TaskSpec } from '@gradwire/models';
import {
  initialWeights,
  logisticRegression,
  mlp,
  mnistCnn,
  mnistCnnSmall,
  mnistDeep,
  mnistFast,
  mnistSeparable,
  withOutputs,
} from '@gradwire/models';
import { createModel } from '@gradwire/models/layers-model';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import type { Tensor } from '@tensorflow/tfjs-core';
import { io, memory, tensor, tidy } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import type { Batch, Trainer } from '../index.ts';
import { createTrainer } from '../index.ts';

beforeAll(async () => {
  await prepareBackend('wasm');
});

const tenClasses = { type: 'multiclass', classes: 10 } as const satisfies TaskSpec;

function batchOf(count: number, task: TaskSpec = tenClasses, seed = 3): Batch {
  const features = Float32Array.from(uniform({ seed, stream: 'probe' }, count * 784));
  const labels = Uint8Array.from({ length: count }, (_, i) => (i * 7 + 3) % 10);
  return { features, targets: targets(labels, task), labels, count };
}

function slice(batch: Batch, start: number, end: number): Batch {
  const per = (array: Float32Array): Float32Array => {
    const size = array.length / batch.count;
    return array.slice(start * size, end * size);
  };
  const labels = batch.labels.slice(start, end);
  return { features: per(batch.features), targets: per(batch.targets), labels, count: end - start };
}

function trainerOf(model: ModelSpec, task: TaskSpec = tenClasses): Trainer {
  const trainer = createTrainer({ recipe: { model, task, seed: 11 } });
  trainer.setWeights(initialWeights(model, 11));
  return trainer;
}

/** Largest difference over largest gradient, of the worst tensor. */
function relativeError(trainer: Trainer, a: Float32Array, b: Float32Array): number {
  const errors = trainer.layout.parameters.map(({ offset, size }) => {
    let [difference, largest] = [0, 0];
    for (let i = offset; i < offset + size; i += 1) {
      difference = Math.max(difference, Math.abs((a[i] as number) - (b[i] as number)));
      largest = Math.max(largest, Math.abs(a[i] as number));
    }
    return difference / largest;
  });
  return Math.max(...errors);
}

/** Sums leaf gradients along the canonical tree. */
function treeSum(leaves: readonly Float32Array[]): Float32Array {
  if (leaves.length === 1) return leaves[0] as Float32Array;
  let half = 1;
  while (2 * half < leaves.length) half *= 2;
  const [left, right] = [treeSum(leaves.slice(0, half)), treeSum(leaves.slice(half))];
  return left.map((x, i) => x + (right[i] as number));
}

test.each([mnistCnn, mnistCnnSmall, mlp])(
  '$name: micro-batches sum up to the whole batch, along the tree',
  (model) => {
    const trainer = trainerOf(model);
    const batch = batchOf(37);
    const whole = trainer.gradient(batch);
    const parts = [0, 8, 16, 24, 32].map((start) =>
      trainer.gradient(slice(batch, start, Math.min(start + 8, 37))),
    );
    expect(
      relativeError(trainer, whole.gradient, treeSum(parts.map(({ gradient }) => gradient))),
    ).toBeLessThan(1e-5);
    for (const i of [0, 1]) {
      const sum = parts.reduce((total, { metrics }) => total + (metrics[i] as number), 0);
      expect(sum / (whole.metrics[i] as number)).toBeCloseTo(1, 6);
    }
    trainer.dispose();
  },
);

test('equal weights and samples give equal bits, whatever was computed in between', () => {
  const trainer = trainerOf(mnistCnn);
  const first = trainer.gradient(batchOf(5));
  trainer.gradient(batchOf(9, tenClasses, 4));
  trainer.evaluate(batchOf(12));
  trainer.setWeights(initialWeights(mnistCnn, 12));
  const other = trainer.gradient(batchOf(5));
  trainer.setWeights(initialWeights(mnistCnn, 11));
  expect(trainer.gradient(batchOf(5))).toEqual(first);
  expect(other.gradient).not.toEqual(first.gradient);
  trainer.dispose();
});

test.each([logisticRegression, mlp, mnistCnn, mnistCnnSmall, mnistDeep, mnistFast, mnistSeparable])(
  '$name: of weights that were replaced nothing is left, in gradients and evaluations',
  (model) => {
    const [batch, position] = [batchOf(6), { step: 0, shard: 0 }];
    const other = initialWeights(model, 12);
    const trainer = trainerOf(model);
    trainer.gradient(batch, position);
    trainer.evaluate(batch);
    trainer.setWeights(other);
    const fresh = createTrainer({ recipe: { model, task: tenClasses, seed: 11 } });
    fresh.setWeights(other);
    expect(trainer.gradient(batch, position)).toEqual(fresh.gradient(batch, position));
    expect(trainer.evaluate(batch)).toEqual(fresh.evaluate(batch));
    trainer.dispose();
    fresh.dispose();
  },
);

test('no call leaves a tensor behind', () => {
  const before = memory().numTensors;
  const trainer = trainerOf(mnistCnn);
  const during = memory().numTensors;
  expect(during - before).toBe(trainer.layout.parameters.length);
  for (let i = 0; i < 5; i += 1) {
    trainer.setWeights(initialWeights(mnistCnn, i));
    trainer.gradient(batchOf(2 + i));
    trainer.evaluate(batchOf(3));
    trainer.predict(batchOf(1).features, 1);
    trainer.modelArtifacts();
  }
  expect(memory().numTensors).toBe(during);
  trainer.dispose();
  expect(memory().numTensors).toBe(before);
});

const tasks: [TaskSpec, ModelSpec][] = [
  [tenClasses, mnistCnnSmall],
  [{ type: 'multilabel', classes: 10 }, mnistCnnSmall],
  [{ type: 'binary', positive: [7, 3] }, withOutputs(mnistCnnSmall, 1)],
];

test.each(tasks)('%j: evaluation counts every sample once', (task, model) => {
  const trainer = trainerOf(model, task);
  const batch = batchOf(30, task);
  const [loss, correct, ...confusion] = trainer.evaluate(batch);
  const sides = Math.sqrt(confusion.length);
  expect(sides).toBe(task.type === 'binary' ? 2 : 10);
  expect(confusion.reduce((a, b) => a + b, 0)).toBe(30);
  expect(confusion.reduce((sum, n, i) => sum + (i % (sides + 1) === 0 ? n : 0), 0)).toBe(correct);
  const { metrics } = trainer.gradient(batch);
  expect(metrics[0]).toBeCloseTo(loss as number, 4);
  expect(metrics[1]).toBe(correct);
  trainer.dispose();
});

test.each(tasks)('%j: the exported model loads in tfjs and predicts the same', async (task, model) => {
  const trainer = trainerOf(model, task);
  const { features } = batchOf(4, task);
  const loaded = await loadLayersModel(io.fromMemory(trainer.modelArtifacts()));
  const expected = tidy(() => (loaded.predict(tensor(features, [4, 28, 28, 1])) as Tensor).dataSync());
  const found = trainer.predict(features, 4);
  expect(found.length).toBe(expected.length);
  for (const [i, p] of found.entries()) expect(p).toBeCloseTo(expected[i] as number, 5);
  loaded.dispose();
  trainer.dispose();
});

test("tfjs's own weights have the layout's names, shapes, order and values", async () => {
  const weights = initialWeights(mnistCnn, 1);
  const { layout } = trainerOf(mnistCnn);
  const model = await createModel({ spec: mnistCnn, task: tenClasses }, weights);
  const found = model.weights.map((weight) => ({ name: weight.originalName, shape: weight.shape }));
  expect(found).toEqual(layout.parameters.map(({ name, shape }) => ({ name, shape })));
  const values = model.weights.flatMap((weight) => [...weight.read().dataSync()]);
  expect(Float32Array.from(values)).toEqual(weights);
  model.dispose();
});

test('descending the gradient lowers the loss', () => {
  const trainer = trainerOf(mnistCnnSmall);
  const weights = initialWeights(mnistCnnSmall, 11);
  const batch = batchOf(20);
  const losses = Array.from({ length: 6 }, () => {
    trainer.setWeights(weights);
    const { gradient, metrics } = trainer.gradient(batch);
    for (const [i, g] of gradient.entries()) weights[i] = (weights[i] as number) - 0.002 * g;
    return metrics[0] as number;
  });
  expect(losses.every((loss, i) => i === 0 || loss < (losses[i - 1] as number))).toBe(true);
  trainer.dispose();
});

test('label smoothing acts on training alone, and moves the gradient towards every class', () => {
  const smoothing = 0.2;
  const soft = trainerOf(mlp, { ...tenClasses, smoothing });
  const hard = trainerOf(mlp);
  const batch = batchOf(12);
  expect(soft.evaluate(batch)).toEqual(hard.evaluate(batch));
  // The gradient by the last bias is the sum of `softmax - target`: linear in the targets.
  const { offset, size } = hard.layout.parameters.at(-1) as (typeof hard.layout.parameters)[number];
  const biasGradient = (trainer: Trainer): number[] => [
    ...trainer.gradient(batch).gradient.subarray(offset, offset + size),
  ];
  const counts = Array.from({ length: 10 }, (_, k) => batch.labels.filter((label) => label === k).length);
  const hardGradient = biasGradient(hard);
  for (const [k, g] of biasGradient(soft).entries()) {
    const moved = smoothing * ((counts[k] as number) - batch.count / 10);
    expect(g).toBeCloseTo((hardGradient[k] as number) + moved, 4);
  }
  soft.dispose();
  hard.dispose();
});

test('weights are copied, and wrong calls are refused', () => {
  const recipe = { model: mlp, task: tenClasses, seed: 1 };
  const trainer = createTrainer({ recipe });
  expect(() => trainer.gradient(batchOf(1))).toThrow(/call setWeights first/);
  expect(() => trainer.setWeights(new Float32Array(3))).toThrow(/expected length 109386, found 3/);
  const weights = initialWeights(mlp, 1);
  trainer.setWeights(weights);
  weights.fill(Number.NaN);
  expect(trainer.gradient(batchOf(1)).metrics[0]).toBeGreaterThan(0);
  expect(() => trainer.gradient({ ...batchOf(2), count: 3 })).toThrow(
    /expected length 2352 for 3 samples, found 1568/,
  );
  expect(() => trainer.predict(new Float32Array(0), 0)).toThrow(/count: expected at least 1, found 0/);
  const mismatch = { ...recipe, task: { type: 'multiclass', classes: 9 } as const };
  expect(() => createTrainer({ recipe: mismatch })).toThrow(/expected 9 for this multiclass task/);
  trainer.dispose();
});
