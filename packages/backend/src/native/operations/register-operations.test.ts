import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import {
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  conv2d,
  engine,
  getKernel,
  MaxPoolGrad,
  matMul,
  maxPool,
  memory,
  sum,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { afterEach, expect, test } from 'vitest';
import { whatIsMissing } from '../check-native.ts';
import { loadNative } from '../load-native.ts';

const missing = whatIsMissing();
const variable = 'GRADWIRE_NATIVE_OPERATIONS';

afterEach(() => {
  delete process.env[variable];
});

/** Waves, without the help of random numbers. */
function waves(shape: number[], speed: number): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * speed)),
    shape,
  );
}

/** As a picture's background: most values equal, so that maxima are ties. */
function steps(shape: number[]): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.max(0, (i % 7) - 4)),
    shape,
  );
}

const bothSides = { strides: [1, 2], pad: ['valid', 'same'], size: [1, 2, 3] } as const;
const windows = bothSides.strides.flatMap((strides) =>
  bothSides.pad.flatMap((pad) => bothSides.size.map((size) => ({ strides, pad, size }))),
);

function convolutions({ strides, pad, size }: (typeof windows)[number]): Tensor[] {
  const [x, filter] = [waves([3, 9, 6, 4], 0.7) as Tensor4D, waves([size, size, 4, 5], 1.3) as Tensor4D];
  const y = conv2d(x, filter, strides, pad);
  const dy = waves(y.shape, 0.3);
  const attributes = { strides, pad, dataFormat: 'NHWC' };
  const dFilter = { ...attributes, filterShape: filter.shape };
  return [
    y,
    engine().runKernel(Conv2DBackpropFilter, { x, dy }, dFilter),
    engine().runKernel(Conv2DBackpropInput, { dy, filter }, { ...attributes, inputShape: x.shape }),
  ];
}

function products(): Tensor[] {
  const [x, kernel, dy] = [waves([5, 7], 1), waves([7, 3], 2), waves([5, 3], 3)] as Tensor2D[] as [
    Tensor2D,
    Tensor2D,
    Tensor2D,
  ];
  const [threes, others] = [waves([2, 3, 4], 1), waves([2, 4, 5], 2)];
  return [
    matMul(x, kernel),
    matMul(x, dy, true, false),
    matMul(dy, kernel, false, true),
    matMul(threes, others),
  ];
}

function sums(): Tensor[] {
  const x = waves([4, 3, 2], 1);
  const whole = tensor([1, 2, 3, 4], [2, 2], 'int32');
  return [sum(x, [0, 1]), sum(x, [0, 1], true), sum(x, 2), sum(x, [-3, 1]), sum(x), sum(whole, 0)];
}

function othersOfConv2d(): Tensor[] {
  const [x, filter] = [waves([2, 8, 8, 3], 0.7) as Tensor4D, waves([3, 3, 3, 2], 1.3) as Tensor4D];
  const explicit: [[number, number], [number, number], [number, number], [number, number]] = [
    [0, 0],
    [1, 2],
    [0, 1],
    [0, 0],
  ];
  return [conv2d(x, filter, 1, explicit), conv2d(x, filter, 1, 'valid', 'NHWC', 2)];
}

interface Values {
  shape: number[];
  values: number[];
}

function valuesOf(compute: () => Tensor[]): Values[] {
  const { numTensors } = memory();
  const values = tidy(() => compute().map((x) => ({ shape: x.shape, values: [...x.dataSync()] })));
  expect(memory().numTensors).toBe(numTensors);
  return values;
}

/** With the private operations, where they exist, and without. */
async function bothWays(compute: () => Tensor[]): Promise<[Values[], Values[]]> {
  await loadNative();
  const found = valuesOf(compute);
  process.env[variable] = 'public';
  await loadNative();
  return [found, valuesOf(compute)];
}

const cases: [string, () => Tensor[]][] = [
  ...windows.map((window): [string, () => Tensor[]] => [
    `convolutions ${JSON.stringify(window)}`,
    () => convolutions(window),
  ]),
  ['explicit padding and dilation', othersOfConv2d],
  ['products', products],
  ['sums', sums],
];

test.skipIf(missing).each(cases)('%s: private and public operations agree to 1e-5', async (_, compute) => {
  const [found, expected] = await bothWays(compute);
  expect(found.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
  for (const [i, { values }] of expected.entries()) {
    const largest = Math.max(...values.map(Math.abs));
    for (const [k, value] of values.entries())
      expect(Math.abs(value - (found[i]?.values[k] ?? Number.NaN))).toBeLessThan(1e-5 * largest);
  }
});

test.skipIf(missing).each(windows)('max-pooling %j: equal to the public one, ties too', async (window) => {
  await loadNative();
  if (!getKernel('GradwireMaxPool', 'tensorflow')) return;
  const { strides, pad, size } = window;
  const attributes = { filterSize: size, strides, pad };
  const [found, foundGradient] = valuesOf(() => {
    const x = steps([2, 7, 6, 3]);
    const [output, winners] = engine().runKernel('GradwireMaxPool', { x }, attributes) as [Tensor, Tensor];
    const inputs = { x, output, winners, dy: waves(output.shape, 1) };
    return [output, engine().runKernel<Tensor>('GradwireMaxPoolGradient', inputs, attributes)];
  });
  const [expected, gradient] = valuesOf(() => {
    const input = steps([2, 7, 6, 3]);
    const output = maxPool(input as Tensor4D, size, strides, pad);
    return [
      output,
      engine().runKernel(MaxPoolGrad, { dy: waves(output.shape, 1), input, output }, attributes),
    ];
  });
  expect(found).toEqual(expected);
  expect(foundGradient?.shape).toEqual(gradient?.shape);
  for (const [i, value] of gradient?.values.entries() ?? [])
    expect(foundGradient?.values[i]).toBeCloseTo(value, 5);
});

test.skipIf(missing)('the environment forbids the private operations; the class tells', async () => {
  const free = await loadNative();
  process.env[variable] = 'public';
  const other = await loadNative();
  expect(getKernel('GradwireMaxPool', 'tensorflow')).toBeUndefined();
  expect(getKernel('GradwireReluGradient', 'tensorflow')).toBeDefined();
  expect(other.description).not.toContain('oneDNN');
  expect(other.kernelHash === free.kernelHash).toBe(!free.description.includes('oneDNN'));
  delete process.env[variable];
  expect(await loadNative()).toEqual(free);
});
