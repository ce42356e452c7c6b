import { backend_util } from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import {
  expectEqual,
  expectNear,
  fractions,
  integers,
  referenceConvolution,
  runKernel,
  startKernels,
} from './test-support.ts';
import type { Sample } from './test-support.ts';

beforeAll(startKernels);

const pair = (max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));

interface Drawn {
  batch: number;
  sides: [number, number];
  inputs: number;
  outputs: number;
  filter: [number, number];
  strides: [number, number];
  dilations: [number, number];
  pad: 'valid' | 'same' | number;
  seed: number;
}

const drawn: { [Name in keyof Drawn]: fc.Arbitrary<Drawn[Name]> } = {
  batch: fc.integer({ min: 1, max: 3 }),
  sides: pair(11),
  // Around the 4, 8 and 32 elements that kernels take at a time.
  inputs: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 16, 31, 32, 33),
  outputs: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17),
  filter: pair(5),
  strides: pair(3),
  dilations: pair(2),
  pad: fc.constantFrom('valid' as const, 'same' as const, 1),
  seed: fc.nat(),
};
const layers = layersOf(drawn);
const one: fc.Arbitrary<[number, number]> = fc.constant([1, 1]);
/** Those that have ways of their own, Winograd's or products without copies, and some next to them. */
const special = layersOf({
  ...drawn,
  inputs: fc.constantFrom(4, 8, 12, 16, 20, 30, 36),
  outputs: fc.constantFrom(1, 4, 8, 12, 16, 18, 20, 24, 36),
  filter: fc.constantFrom([3, 3], [3, 3], [1, 1]),
  strides: one,
  dilations: one,
  pad: fc.constantFrom('valid' as const, 'same' as const, 1, 2),
});

function layersOf(record: typeof drawn) {
  return fc
    .record(record)
    .map((layer) => {
      const x = [layer.batch, ...layer.sides, layer.inputs] as [number, number, number, number];
      const filter = [...layer.filter, layer.inputs, layer.outputs] as [number, number, number, number];
      const { strides, dilations, pad } = layer;
      const info = backend_util.computeConv2DInfo(x, filter, strides, dilations, pad, 'floor');
      const attrs = { strides, dilations, pad, dimRoundingMode: 'floor', dataFormat: 'NHWC' };
      return { x, filter, info, attrs: { ...attrs, inputShape: x, filterShape: filter }, seed: layer.seed };
    })
    .filter(({ info }) => info.outHeight > 0 && info.outWidth > 0);
}

function check(layer: Sample<typeof layers>, draw: typeof integers, compare: typeof expectNear): void {
  const { info, attrs, seed } = layer;
  const [x, filter] = [draw(layer.x, seed), draw(layer.filter, seed + 1)];
  const dy = draw(info.outShape, seed + 2);
  const expected = referenceConvolution(info, { x, filter, dy });
  compare(runKernel('Conv2D', { x, filter }, attrs)[0], { shape: info.outShape, data: expected.y });
  compare(runKernel('Conv2DBackpropFilter', { x, dy }, attrs)[0], {
    shape: layer.filter,
    data: expected.dFilter,
  });
  compare(runKernel('Conv2DBackpropInput', { dy, filter }, attrs)[0], { shape: layer.x, data: expected.dx });
}

test.each([
  ['any filter', layers],
  ['3 x 3 and 1 x 1', special],
])('whole numbers, %s: a convolution and its gradients are exact', (_, cases) => {
  fc.assert(
    fc.property(cases, (layer) => check(layer, integers, expectEqual)),
    { seed: 1, numRuns: 200 },
  );
});

test.each([
  ['any filter', layers],
  ['3 x 3 and 1 x 1', special],
])('fractions, %s: a convolution and its gradients are within 1e-5 of float64', (_, cases) => {
  fc.assert(
    fc.property(cases, (layer) => check(layer, fractions, expectNear)),
    { seed: 2, numRuns: 200 },
  );
});

type Shape4D = [number, number, number, number];

test.each<[string, Shape4D, Shape4D]>([
  ['more outputs than are listed at a time', [2, 19, 21, 3], [3, 3, 3, 10]],
  ['more outputs than the tile takes at a time', [2, 19, 21, 6], [3, 3, 6, 10]],
  ['windows of 2 x 2, more than are transformed at a time', [3, 10, 8, 16], [3, 3, 16, 20]],
  ['windows of 2 x 2, channels left over', [1, 4, 14, 20], [3, 3, 20, 19]],
  ['windows of 2 x 2 over the edge', [3, 7, 13, 16], [3, 3, 16, 20]],
])('%s: %j with filter %j', (_, x, filter) => {
  for (const pad of ['valid', 'same', 1, 2] as const) {
    const info = backend_util.computeConv2DInfo(x, filter, 1, 1, pad, 'floor');
    const attrs = {
      strides: 1,
      pad,
      dimRoundingMode: 'floor',
      dataFormat: 'NHWC',
      inputShape: x,
      filterShape: filter,
    };
    check({ x, filter, info, attrs, seed: 3 } as never, integers, expectEqual);
    check({ x, filter, info, attrs, seed: 3 } as never, fractions, expectNear);
  }
});

test('a NaN in dy reaches the filters it belongs to, and no others', () => {
  const dy = { shape: [1, 2, 2, 2], data: [1, 2, Number.NaN, 4, 1, 2, 3, 4] };
  const attrs = { strides: 1, pad: 'valid', dataFormat: 'NHWC', filterShape: [3, 3, 1, 2] };
  const [found] = runKernel('Conv2DBackpropFilter', { x: integers([1, 4, 4, 1], 1), dy }, attrs);
  expect(Array.from(found?.data ?? [], Number.isNaN)).toEqual(
    Array.from({ length: 18 }, (_, i) => i % 2 === 0),
  );
});

test('what does not fit is refused', () => {
  const x = integers([1, 4, 4, 2], 1);
  const attrs = { strides: 1, pad: 'valid', dataFormat: 'NHWC', filterShape: [3, 3, 2, 1] };
  const dy = integers([1, 2, 2, 1], 1);
  expect(() => runKernel('Conv2DBackpropFilter', { x, dy }, { ...attrs, dataFormat: 'NCHW' })).toThrow(
    /dataFormat: expected NHWC, found NCHW/,
  );
  expect(() => runKernel('Conv2D', { x, filter: integers([3, 3, 3, 1], 1) }, attrs)).toThrow(
    /filter: expected 2 input channels, found 3/,
  );
  expect(() => runKernel('Conv2D', { x, filter: integers([5, 3, 2, 1], 1) }, attrs)).toThrow(
    /filter: expected at most 4 x 4 pixels, found 5 x 3/,
  );
  expect(() => runKernel('Conv2DBackpropFilter', { x, dy: integers([1, 3, 2, 1], 1) }, attrs)).toThrow(
    /dy: expected shape \[1, 2, 2, 1\], found \[1, 3, 2, 1\]/,
  );
});
