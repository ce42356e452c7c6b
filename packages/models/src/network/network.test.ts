import { expect, test } from 'vitest';
import type { LayerSpec, ModelSpec, TaskSpec } from '../index.ts';
import {
  initialWeights,
  logisticRegression,
  mlp,
  mnistCnn,
  mnistCnnSmall,
  parameterLayout,
  resolveLayers,
  validateModelSpec,
  withOutputs,
} from '../index.ts';

const tenClasses = { type: 'multiclass', classes: 10 } as const satisfies TaskSpec;

function network(inputShape: number[], ...layers: LayerSpec[]): ModelSpec {
  return { name: 'test', inputShape, layers };
}

test.each([
  [mnistCnn, 225_034],
  [mnistCnnSmall, 16 * 9 + 16 + 16 * 16 * 9 + 16 + 784 * 128 + 128 + 1290],
  [logisticRegression, 7_850],
  [mlp, 784 * 128 + 128 + 128 * 64 + 64 + 650],
])('$name has its known number of parameters and fits ten classes', (spec, parameters) => {
  expect(parameterLayout(spec).size).toBe(parameters);
  expect(() => validateModelSpec(spec, tenClasses)).not.toThrow();
});

test('parameters follow one another without gaps, kernel before bias', () => {
  const { parameters, size } = parameterLayout(mnistCnn);
  expect(parameters.map(({ name }) => name)).toEqual([
    'conv2d_1/kernel',
    'conv2d_1/bias',
    'conv2d_2/kernel',
    'conv2d_2/bias',
    'dense_1/kernel',
    'dense_1/bias',
    'dense_2/kernel',
    'dense_2/bias',
  ]);
  expect(parameters[4]).toEqual({
    name: 'dense_1/kernel',
    shape: [1600, 128],
    offset: 320 + 18_496,
    size: 204_800,
    role: 'kernel',
  });
  expect(parameters.reduce((offset, p) => (p.offset === offset ? offset + p.size : Number.NaN), 0)).toBe(
    size,
  );
});

test.each([
  [{ type: 'conv2d', filters: 2, kernelSize: 3, strides: 2 }, [3, 2, 2]],
  [{ type: 'conv2d', filters: 2, kernelSize: 3, strides: 2, padding: 'same' }, [4, 3, 2]],
  [{ type: 'maxPooling2d', poolSize: 3 }, [2, 1, 1]],
  [{ type: 'maxPooling2d', poolSize: 3, strides: 1, padding: 'same' }, [7, 5, 1]],
  [{ type: 'flatten' }, [35]],
] satisfies [LayerSpec, number[]][])('%j makes [7, 5, 1] into %j', (layer, shape) => {
  expect(resolveLayers(network([7, 5, 1], layer))[0]?.outputShape).toEqual(shape);
});

test('initial weights: Glorot range and spread, zero biases, another sequence for each parameter and seed', () => {
  const { parameters } = parameterLayout(mnistCnn);
  const weights = initialWeights(mnistCnn, 7);
  const part = (index: number, all = weights): Float32Array => {
    const { offset, size } = parameters[index] as (typeof parameters)[number];
    return all.subarray(offset, offset + size);
  };
  const limit = Math.sqrt(6 / (9 * (32 + 64)));
  const kernel = part(2);
  expect(kernel.every((w) => Math.abs(w) <= limit)).toBe(true);
  const meanSquare = kernel.reduce((sum, w) => sum + w * w, 0) / kernel.length;
  expect(meanSquare / (limit ** 2 / 3)).toBeCloseTo(1, 1);
  for (const bias of [1, 3, 5, 7]) expect(part(bias).every((w) => w === 0)).toBe(true);
  expect(part(2)[0]).not.toBeCloseTo(((part(0)[0] as number) * limit) / Math.sqrt(6 / (9 * 33)), 6);
  expect(initialWeights(mnistCnn, 7)).toEqual(weights);
  expect(part(0, initialWeights(mnistCnn, 8))).not.toEqual(part(0));
});

test.each([
  [network([4, 4, 1]), 'model.layers: expected at least one layer, found none'],
  [network([0]), 'model.inputShape[0]: expected a positive integer, found 0'],
  [
    network([4], { type: 'dense', units: 1.5 }),
    'model.layers[0].units: expected a positive integer, found 1.5',
  ],
  [network([4, 4, 1], { type: 'dense', units: 10 }), 'put a flatten layer before it), found shape [4, 4, 1]'],
  [network([4], { type: 'maxPooling2d', poolSize: 2 }), '[height, width, channels], found shape [4]'],
  [
    network([4, 4, 1], { type: 'conv2d', filters: 1, kernelSize: 5 }),
    "kernelSize: expected at most the input's sides",
  ],
  [network([4, 4, 1], { type: 'flatten' }), 'expected a dense layer at the end, found flatten'],
  [network([4], { type: 'dense', units: 10, activation: 'relu' }), "expected 'linear'"],
  [
    network([4], { type: 'dense', units: 9 }),
    'model.layers[0].units: expected 10 for this multiclass task, found 9',
  ],
  [
    network([4], { type: 'lstm' } as unknown as LayerSpec),
    'model.layers[0].type: expected conv2d, depthwiseConv2d',
  ],
])('an impossible network is refused: %#', (spec, message) => {
  const validate = (): void => validateModelSpec(spec, tenClasses);
  expect(validate).toThrow(expect.objectContaining({ code: 'RECIPE_INVALID' }));
  expect(validate).toThrow(message);
});

test('impossible tasks are refused, other outputs are a matter of one call', () => {
  const binary = withOutputs(mnistCnn, 1);
  expect(() => validateModelSpec(binary, { type: 'binary', positive: [7] })).not.toThrow();
  expect(() => validateModelSpec(binary, { type: 'binary', positive: [] })).toThrow(/task.positive/);
  expect(() => validateModelSpec(binary, { type: 'binary', positive: [256] })).toThrow(/task.positive\[0\]/);
  expect(() => validateModelSpec(binary, { type: 'multilabel', classes: 257 })).toThrow(/at most 256/);
  for (const smoothing of [-0.1, 1, Number.NaN]) {
    expect(() => validateModelSpec(mnistCnn, { ...tenClasses, smoothing })).toThrow(/task.smoothing/);
  }
  expect(() => withOutputs(network([4], { type: 'flatten' }), 2)).toThrow(TypeError);
});
