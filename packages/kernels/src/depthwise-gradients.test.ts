import { backend_util } from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, test } from 'vitest';
import {
  expectEqual,
  expectNear,
  forEachMeeting,
  fractions,
  integers,
  runKernel,
  startKernels,
} from './test-support.ts';

beforeAll(startKernels);

const side = fc.integer({ min: 1, max: 9 });
const pair = (max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));
const layers = fc
  .record({
    // Around the 4 and 16 channels that kernels take at a time.
    x: fc.tuple(
      fc.integer({ min: 1, max: 3 }),
      side,
      side,
      fc.constantFrom(1, 2, 3, 4, 6, 9, 16, 21, 32, 37),
    ),
    window: pair(4),
    multiplier: fc.integer({ min: 1, max: 3 }),
    strides: pair(2),
    dilations: pair(2),
    pad: fc.constantFrom('valid' as const, 'same' as const),
    seed: fc.nat(),
  })
  .map(({ x, window, multiplier, strides, dilations, pad, seed }) => {
    const filter = [...window, x[3], multiplier] as [number, number, number, number];
    const info = backend_util.computeConv2DInfo(x, filter, strides, dilations, pad, 'floor', true);
    return { x, filter, info, seed, attrs: { strides, dilations, pad, inputShape: x, filterShape: filter } };
  })
  .filter(({ info }) => info.outHeight > 0 && info.outWidth > 0);

test.each([
  ['whole numbers, exactly', integers, expectEqual],
  ['fractions, to 1e-5', fractions, expectNear],
] as const)('the gradients of a depthwise convolution: %s', (_, draw, compare) => {
  const property = fc.property(layers, ({ info, attrs, seed, ...shapes }) => {
    const [x, filter, dy] = [
      draw(shapes.x, seed),
      draw(shapes.filter, seed + 1),
      draw(info.outShape, seed + 2),
    ];
    const [dx, dFilter] = [new Float64Array(x.data.length), new Float64Array(filter.data.length)];
    const [channels, multiplier] = [shapes.x[3], shapes.filter[3]];
    forEachMeeting(info, (input, tap, output) => {
      for (let i = 0; i < channels * multiplier; i++) {
        const [xAt, wAt] = [input * channels + Math.floor(i / multiplier), tap * channels * multiplier + i];
        const gradient = dy.data[output * channels * multiplier + i] as number;
        dx[xAt] = (dx[xAt] as number) + (filter.data[wAt] as number) * gradient;
        dFilter[wAt] = (dFilter[wAt] as number) + (x.data[xAt] as number) * gradient;
      }
    });
    const [foundFilter] = runKernel('DepthwiseConv2dNativeBackpropFilter', { x, dy }, attrs);
    compare(foundFilter, { shape: shapes.filter, data: dFilter });
    const [foundInput] = runKernel('DepthwiseConv2dNativeBackpropInput', { dy, filter }, attrs);
    compare(foundInput, { shape: shapes.x, data: dx });
  });
  fc.assert(property, { seed: 6, numRuns: 200 });
});
