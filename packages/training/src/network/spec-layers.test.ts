import { prepareBackend } from '@gradwire/backend';
import type { ModelSpec, TaskSpec } from '@gradwire/models';
import { initialWeights, mnistDeep, mnistSeparable, parameterLayout } from '@gradwire/models';
import { createModel } from '@gradwire/models/layers-model';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import { beforeAll, expect, test } from 'vitest';
import type { Batch } from '../index.ts';
import { createTrainer } from '../index.ts';

beforeAll(async () => {
  await prepareBackend('wasm');
});

const task: TaskSpec = { type: 'multiclass', classes: 10 };
const position = { step: 5, shard: 2 };

const everyLayer: ModelSpec = {
  name: 'every-layer',
  inputShape: [13, 11, 2],
  layers: [
    { type: 'conv2d', filters: 5, kernelSize: 3, padding: 'same', useBias: false },
    { type: 'batchNormalization', momentum: 0.9, epsilon: 0.01 },
    { type: 'activation', activation: 'relu' },
    { type: 'averagePooling2d', poolSize: 2, padding: 'same' },
    { type: 'depthwiseConv2d', kernelSize: 3, depthMultiplier: 2, strides: 2, activation: 'relu' },
    { type: 'dropout', rate: 0.25 },
    { type: 'conv2d', filters: 6, kernelSize: 2, activation: 'relu' },
    { type: 'globalAveragePooling2d' },
    { type: 'dense', units: 8, useBias: false },
    { type: 'batchNormalization' },
    { type: 'dense', units: 10 },
  ],
};

function batchFor({ inputShape }: ModelSpec, count = 6): Batch {
  const size = inputShape.reduce((product, side) => product * side, count);
  const features = Float32Array.from(uniform({ seed: 3, stream: 'probe' }, size));
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  return { features, targets: targets(labels, task), labels, count };
}

/** Initial weights with other values in what starts as zero or one. */
function shaken(spec: ModelSpec): Float32Array {
  const noise = uniform({ seed: 8, stream: 'probe' }, parameterLayout(spec).size, { low: -0.1, high: 0.1 });
  return initialWeights(spec, 1).map((weight, i) => weight + (noise[i] as number));
}

// The LayersModel is tested against tfjs's tape.
test.each([everyLayer, mnistDeep, mnistSeparable])(
  '$name: the network of plain data gives the bits of its LayersModel',
  async (spec) => {
    const weights = shaken(spec);
    const model = await createModel({ spec, task }, weights);
    const [own, other] = [
      createTrainer({ recipe: { model: spec, task, seed: 4 } }),
      createTrainer({ model, task, seed: 4 }),
    ];
    own.setWeights(weights);
    const batch = batchFor(spec);
    const { gradient, metrics } = own.gradient(batch, position);
    expect(own.layout).toEqual(other.layout);
    expect(other.gradient(batch, position)).toEqual({ gradient, metrics });
    expect(own.predict(batch.features, batch.count)).toEqual(other.predict(batch.features, batch.count));
    expect(own.evaluate(batch)).toEqual(other.evaluate(batch));
    for (const { offset, size, name } of own.layout.parameters) {
      expect(
        gradient.subarray(offset, offset + size).some((g) => g !== 0),
        name,
      ).toBe(true);
    }
    own.dispose();
    model.dispose();
  },
);

test('a statistic is the samples times the mean or variance of the micro-batch', () => {
  const spec: ModelSpec = {
    name: 'norm',
    inputShape: [2, 1, 1],
    layers: [{ type: 'batchNormalization' }, { type: 'flatten' }, { type: 'dense', units: 10 }],
  };
  const trainer = createTrainer({ recipe: { model: spec, task, seed: 4 } });
  trainer.setWeights(trainer.initialWeights());
  const labels = Uint8Array.of(1, 2);
  const features = Float32Array.of(1, 2, 3, 6);
  const { gradient } = trainer.gradient({ features, labels, targets: targets(labels, task), count: 2 });
  const { parameters } = trainer.layout;
  expect(
    parameters.map(({ name, role, momentum }) => [name.split('/')[1], role, momentum]).slice(0, 4),
  ).toEqual([
    ['gamma', 'bias', undefined],
    ['beta', 'bias', undefined],
    ['moving_mean', 'statistic', 0.99],
    ['moving_variance', 'statistic', 0.99],
  ]);
  // Mean 3; variance (4 + 1 + 0 + 9) / 4.
  expect([...gradient.subarray(2, 4)]).toEqual([6, 7]);
  trainer.dispose();
});

test('dropout keeps its share, scaled, and each layer draws its own mask', () => {
  const drop = { type: 'dropout', rate: 0.5 } as const;
  const spec: ModelSpec = {
    name: 'drop',
    inputShape: [2000],
    layers: [drop, drop, { type: 'dense', units: 10 }],
  };
  const trainer = createTrainer({ recipe: { model: spec, task, seed: 4 } });
  trainer.setWeights(new Float32Array(trainer.layout.size));
  const labels = Uint8Array.of(0);
  const features = new Float32Array(2000).fill(1);
  const batch = { features, labels, targets: targets(labels, task), count: 1 };
  const { gradient } = trainer.gradient(batch, position);
  // By the kernel's first column: the input that came through, times softmax minus target.
  const through = Array.from({ length: 2000 }, (_, i) => (gradient[10 * i] as number) / (0.1 - 1));
  const kept = through.filter((value) => value > 0);
  expect(kept.length / 2000).toBeCloseTo(0.25, 1);
  for (const value of kept) expect(value).toBeCloseTo(4, 5);
  trainer.dispose();
});
