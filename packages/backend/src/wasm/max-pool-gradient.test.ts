import { backend, backend_util, engine, maxPool, memory, tensor, tensor4d } from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { loadWasm } from './load-wasm.ts';

type Sample<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

beforeAll(async () => {
  await loadWasm();
});

/** TensorFlow's rule, written plainly: the gradient of each window goes to its first maximum in row order. */
function reference(x: readonly number[], dy: readonly number[], info: backend_util.Conv2DInfo): Float32Array {
  const dx = new Float64Array(x.length);
  const { outShape, inHeight, inWidth, inChannels: channels, padInfo } = info;
  dy.forEach((gradient, index) => {
    const [, rows, columns] = outShape;
    const c = index % channels;
    const column = Math.floor(index / channels) % columns;
    const row = Math.floor(index / channels / columns) % rows;
    const sample = Math.floor(index / channels / columns / rows);
    let best: number | undefined;
    for (let i = 0; i < info.filterHeight; i++) {
      for (let j = 0; j < info.filterWidth; j++) {
        const y = row * info.strideHeight + i - padInfo.top;
        const z = column * info.strideWidth + j - padInfo.left;
        if (y < 0 || z < 0 || y >= inHeight || z >= inWidth) continue;
        const place = ((sample * inHeight + y) * inWidth + z) * channels + c;
        if (best === undefined || (x[place] as number) > (x[best] as number)) best = place;
      }
    }
    dx[best as number] = (dx[best as number] as number) + gradient;
  });
  return Float32Array.from(dx);
}

const pools = fc.record({
  shape: fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 3, max: 8 }),
    fc.integer({ min: 3, max: 8 }),
    fc.integer({ min: 1, max: 5 }),
  ),
  filterSize: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  pad: fc.constantFrom('valid' as const, 'same' as const),
  values: fc.infiniteStream(fc.integer({ min: -1, max: 1 })),
  gradients: fc.infiniteStream(fc.integer({ min: -3, max: 3 })),
});

const take = (stream: Iterable<number>, count: number): number[] => {
  const values: number[] = [];
  for (const value of stream) {
    if (values.length === count) break;
    values.push(value);
  }
  return values;
};

test('the gradient of a window goes to its first maximum (three values: nearly every window has a tie)', () => {
  const check = ({ shape, filterSize, strides, pad, values, gradients }: Sample<typeof pools>): void => {
    const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad);
    const x = take(
      values,
      shape.reduce((a, b) => a * b),
    );
    const dy = take(
      gradients,
      info.outShape.reduce((a, b) => a * b),
    );
    const input = tensor(x, shape);
    const output = maxPool(input as Tensor4D, filterSize, strides, pad);
    const inputs = { dy: tensor(dy, info.outShape), input, output };
    const [tensors, buffers] = [memory().numTensors, backend().numDataIds()];
    const dx = engine().runKernel('MaxPoolGrad', inputs, { filterSize, strides, pad }) as Tensor;
    expect(dx.dataSync()).toEqual(reference(x, dy, info));
    dx.dispose();
    expect([memory().numTensors, backend().numDataIds()]).toEqual([tensors, buffers]);
  };
  fc.assert(fc.property(pools, check), { seed: 3, numRuns: 200 });
});

test('both zeros are equal, so the first of them takes the gradient', () => {
  expect(gradientOf([-1, -0, 0, -1])).toEqual([0, 1, 0, 0]);
  expect(gradientOf([-1, 0, -0, -1])).toEqual([0, 1, 0, 0]);
});

test('a window without any number gives its gradient to the first pixel', () => {
  const nan = Number.NaN;
  expect(gradientOf([nan, nan, nan, nan])).toEqual([1, 0, 0, 0]);
});

test('infinities are ordinary values', () => {
  const infinity = Number.POSITIVE_INFINITY;
  expect(gradientOf([1, infinity, infinity, 0])).toEqual([0, 1, 0, 0]);
  expect(gradientOf([-infinity, -infinity, -infinity, -infinity])).toEqual([1, 0, 0, 0]);
});

function gradientOf(window: number[]): number[] {
  const pooling = { filterSize: [2, 2], strides: [2, 2], pad: 'valid' };
  const input = tensor4d(window, [1, 2, 2, 1]);
  const inputs = { dy: tensor4d([1], [1, 1, 1, 1]), input, output: maxPool(input, 2, 2, 'valid') };
  const dx = engine().runKernel('MaxPoolGrad', inputs, pooling) as Tensor;
  return Array.from(dx.dataSync());
}
