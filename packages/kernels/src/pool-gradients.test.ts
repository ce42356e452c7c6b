import { avgPool, backend_util, maxPool, tensor4d, tidy } from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import {
  expectEqual,
  expectNear,
  forEachMeeting,
  fractions,
  integers,
  runKernel,
  startKernels,
} from './test-support.ts';
import type { Values } from './test-support.ts';

beforeAll(startKernels);

const side = fc.integer({ min: 1, max: 9 });
const pools = fc
  .record({
    shape: fc.tuple(fc.integer({ min: 1, max: 3 }), side, side, fc.integer({ min: 1, max: 10 })),
    filterSize: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pad: fc.constantFrom('valid' as const, 'same' as const),
    seed: fc.nat(),
  })
  .map((pool) => ({
    ...pool,
    info: backend_util.computePool2DInfo(pool.shape, pool.filterSize, pool.strides, 1, pool.pad),
  }))
  .filter(({ info }) => info.outHeight > 0 && info.outWidth > 0);

test('max-pooling: the gradient of a window goes to its first maximum', () => {
  const property = fc.property(pools, ({ shape, info, seed, ...attrs }) => {
    const [x, dy] = [integers(shape, seed), integers(info.outShape, seed + 1)];
    const channels = shape[3];
    const y = new Float64Array(dy.data.length).fill(Number.NEGATIVE_INFINITY);
    const place = new Int32Array(y.length);
    forEachMeeting(info, (input, _, output) => {
      for (let c = 0; c < channels; c++) {
        const [from, to] = [input * channels + c, output * channels + c];
        if ((x.data[from] as number) <= (y[to] as number)) continue;
        y[to] = x.data[from] as number;
        place[to] = from;
      }
    });
    const data = new Float64Array(x.data.length);
    place.forEach((at, i) => (data[at] = (data[at] as number) + (dy.data[i] as number)));
    const inputs = { dy, input: x, output: { shape: info.outShape, data: y } };
    expectEqual(runKernel('MaxPoolGrad', inputs, attrs)[0], { shape, data });
  });
  fc.assert(property, { seed: 3, numRuns: 300 });
});

test('average-pooling: a window shares its gradient among its pixels inside the picture', () => {
  const property = fc.property(pools, ({ shape, info, seed, ...attrs }) => {
    const [x, dy] = [fractions(shape, seed), fractions(info.outShape, seed + 1)];
    const counts = new Map<number, number>();
    forEachMeeting(info, (_, __, output) => counts.set(output, (counts.get(output) ?? 0) + 1));
    const data = new Float64Array(x.data.length);
    forEachMeeting(info, (input, _, output) => {
      for (let c = 0; c < shape[3]; c++) {
        const at = input * shape[3] + c;
        data[at] =
          (data[at] as number) + (dy.data[output * shape[3] + c] as number) / (counts.get(output) ?? 0);
      }
    });
    expectNear(runKernel('AvgPoolGrad', { dy, input: x }, attrs)[0], { shape, data });
    // The forward pass is linear: the gradients by its inputs, weighted with them, give its output weighted with dy.
    const y = tidy(() =>
      avgPool(
        tensor4d(Float32Array.from(x.data), shape),
        attrs.filterSize,
        attrs.strides,
        attrs.pad,
      ).dataSync(),
    );
    expect(dot(x.data, data)).toBeCloseTo(dot(y, dy.data), 3);
  });
  fc.assert(property, { seed: 4, numRuns: 300 });
});

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

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

/** The same window in one channel and in five: all take the same way, alone or four at a time. */
function gradientOf(window: number[]): number[] {
  const [one, five] = [1, 5].map((channels) => {
    const data = window.flatMap((value) => Array<number>(channels).fill(value));
    const input: Values = { shape: [1, 2, 2, channels], data };
    const y = tidy(() => maxPool(tensor4d(data, [1, 2, 2, channels]), 2, 2, 'valid').dataSync());
    const shape = [1, 1, 1, channels];
    const inputs = {
      dy: { shape, data: Array<number>(channels).fill(1) },
      input,
      output: { shape, data: y },
    };
    const [dx] = runKernel('MaxPoolGrad', inputs, { filterSize: 2, strides: 2, pad: 'valid' });
    return Array.from(dx?.data ?? []);
  }) as [number[], number[]];
  expect(five).toEqual(one.flatMap((value) => Array<number>(5).fill(value)));
  return one;
}
