import { prepareBackend } from '@gradwire/backend';
import { plainVectors } from '@gradwire/engine';
import type { LayerSpec, ModelSpec } from '@gradwire/models';
import { initialWeights, mnistCnn, mnistCnnSmall, mnistDeep, mnistSeparable } from '@gradwire/models';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import { findRecipe } from '@gradwire/recipes';
import { layers } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { apply, graph, shake } from '../network/test-support.ts';
import type { Batch, GradientSum, Trainer } from './trainer.ts';
import { createTrainer } from './trainer.ts';

beforeAll(async () => {
  await prepareBackend('wasm');
});

const task = { type: 'multiclass', classes: 10 } as const;
const conv = { type: 'conv2d', filters: 6, kernelSize: 3 } as const;
const end: LayerSpec[] = [{ type: 'flatten' }, { type: 'dense', units: 10 }];
const small = (name: string, ...rest: LayerSpec[]): ModelSpec => ({
  name,
  inputShape: [13, 11, 3],
  layers: [...rest, ...end],
});
const pool = { type: 'maxPooling2d', poolSize: 2 } as const;
const modelOf = (recipe: string): ModelSpec => findRecipe(recipe).model;

const taken = [
  mnistCnn,
  mnistCnnSmall,
  modelOf('mnist-fast'),
  modelOf('mnist-mlp'),
  modelOf('mnist-logistic'),
  small('odd sides', { ...conv, padding: 'same', activation: 'relu' }, { ...pool, padding: 'same' }),
  small('strides', { ...conv, filters: 9, strides: 2, padding: 'same' }, pool),
  small('no pooling', { ...conv, activation: 'relu' }, { ...conv, filters: 9, activation: 'relu' }),
  small('windows', { ...conv, filters: 8 }, { ...conv, filters: 12, activation: 'relu' }),
  small('pointwise', { ...conv, filters: 8 }, { ...conv, filters: 16, kernelSize: 1, activation: 'relu' }),
  small('average', { ...conv, activation: 'relu' }, { type: 'averagePooling2d', poolSize: 2 }),
  small('depthwise', { type: 'depthwiseConv2d', kernelSize: 3, activation: 'relu' }),
];

test.each(taken)('$name: several parts in one pass have the bits of one after the other', (model) => {
  const trainer = createTrainer({ recipe: { model, task, seed: 3 } });
  trainer.setWeights(initialWeights(model, 3));
  expect(trainer.takesParts()).toBe(true);
  // Unequal parts, and one that has more rows than the product adds in one go.
  for (const parts of [[3], [2, 2], [5, 4, 4, 5], [1, 1, 1, 1, 1, 1, 1, 1], [2, 257]]) {
    expectSame(trainer, model.inputShape, parts);
  }
  trainer.dispose();
});

function expectSame(trainer: Trainer, inputShape: readonly number[], parts: readonly number[]): void {
  const sizes = parts.map((count) => randomBatch(inputShape, count, count));
  const whole: Batch = {
    features: join(sizes.map(({ features }) => features)),
    targets: join(sizes.map((batch) => batch.targets)),
    labels: Uint8Array.from(sizes.flatMap(({ labels }) => [...labels])),
    count: parts.reduce((sum, count) => sum + count, 0),
    parts,
  };
  const found = trainer.gradient(whole);
  const expected = addHalves(sizes.map((batch) => trainer.gradient(batch)));
  // Not `toEqual`, which looks at each of a million bytes.
  expect(bitsOf(found.gradient).equals(bitsOf(expected.gradient))).toBe(true);
  expect(found.metrics).toEqual(expected.metrics);
}

function addHalves(sums: readonly GradientSum[]): GradientSum {
  if (sums.length === 1) return sums[0] as GradientSum;
  const half = sums.length / 2;
  const [left, right] = [addHalves(sums.slice(0, half)), addHalves(sums.slice(half))];
  plainVectors.add(left.gradient, right.gradient);
  return { ...left, metrics: left.metrics.map((value, i) => value + (right.metrics[i] ?? 0)) };
}

const drop = { type: 'dropout', rate: 0.5 } as const;
const norm = { type: 'batchNormalization' } as const;

test.each([mnistDeep, mnistSeparable, small('dropout', conv, drop), small('norm', conv, norm)])(
  '$name: looks at the whole batch, or draws numbers for it, and takes one part at a time',
  (model) => {
    const trainer = createTrainer({ recipe: { model, task, seed: 3 } });
    trainer.setWeights(initialWeights(model, 3));
    expect(trainer.takesParts()).toBe(false);
    const batch = { ...randomBatch(model.inputShape, 4), parts: [2, 2] };
    expect(() => trainer.gradient(batch, { step: 0, shard: 0 })).toThrow('one part at a time');
    trainer.dispose();
  },
);

test('a layer that is used twice adds its gradients of the whole batch: one part at a time', () => {
  const shared = layers.dense({ units: 6 });
  const model = graph([6], (x) => apply(x, shared, shared, layers.dense({ units: 5 })));
  shake(model);
  const trainer = createTrainer({ model, task: { type: 'multiclass', classes: 5 }, seed: 1 });
  expect(trainer.takesParts()).toBe(false);
  trainer.dispose();
  model.dispose();
});

test('parts that do not fit the batch are refused', () => {
  const model = modelOf('mnist-mlp');
  const trainer = createTrainer({ recipe: { model, task, seed: 3 } });
  trainer.setWeights(initialWeights(model, 3));
  const batch = randomBatch(model.inputShape, 6);
  for (const parts of [
    [2, 2],
    [2, 2, 2],
    [6, 0],
  ]) {
    expect(() => trainer.gradient({ ...batch, parts })).toThrow('parts of 6 samples');
  }
  trainer.dispose();
});

function randomBatch(inputShape: readonly number[], count: number, seed = 9): Batch {
  const size = inputShape.reduce((product, side) => product * side, count);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const features = Float32Array.from(uniform({ seed, stream: 'probe' }, size));
  return { features, targets: targets(labels, task), labels, count };
}

function join(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function bitsOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
