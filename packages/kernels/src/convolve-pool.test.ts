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
  sizeOf,
  startKernels,
} from './test-support.ts';
import type { Sample, Values } from './test-support.ts';

beforeAll(startKernels);

const side = fc.integer({ min: 1, max: 12 });
const layers = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    sides: fc.tuple(side, side),
    // From 16 on, and by fours, 3 x 3 filters take another way.
    inputs: fc.constantFrom(1, 2, 3, 4, 5, 8, 11, 16, 20, 24, 32, 33),
    outputs: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17),
    filter: fc.constantFrom(1, 2, 3, 3, 3, 4, 5),
    strides: fc.integer({ min: 1, max: 2 }),
    pad: fc.constantFrom('valid' as const, 'same' as const),
    poolPad: fc.constantFrom('valid' as const, 'same' as const),
    relu: fc.boolean(),
    seed: fc.nat(),
  })
  .map((layer) => {
    const { strides, pad, poolPad, relu, seed } = layer;
    const x = [layer.batch, ...layer.sides, layer.inputs] as [number, number, number, number];
    const filter = [layer.filter, layer.filter, layer.inputs, layer.outputs] as typeof x;
    const info = backend_util.computeConv2DInfo(x, filter, strides, 1, pad);
    const round = poolPad === 'same' ? Math.ceil : Math.floor;
    const pooled = [info.batchSize, round(info.outHeight / 2), round(info.outWidth / 2), layer.outputs];
    return { x, filter, info, pooled, seed, attrs: { strides, pad, poolPad, relu } };
  })
  .filter(({ info, pooled }) => info.outHeight > 0 && info.outWidth > 0 && sizeOf(pooled) > 0);

type Layer = Sample<typeof layers>;

/** Largest value of each window, where it is, and what bias and relu make of it. */
function referencePool({ info, pooled, attrs }: Layer, z: Float64Array, bias: Values) {
  const values = new Float64Array(sizeOf(pooled));
  const index = new Uint8Array(values.length);
  const place = new Int32Array(values.length);
  const [, height, width, channels] = pooled as [number, number, number, number];
  for (let i = 0; i < values.length; i++) {
    const [c, column] = [i % channels, Math.floor(i / channels) % width];
    const [row, b] = [Math.floor(i / channels / width) % height, Math.floor(i / channels / width / height)];
    let best = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < 4; k++) {
      const [y, x] = [2 * row + (k >> 1), 2 * column + (k & 1)];
      if (y >= info.outHeight || x >= info.outWidth) continue;
      const at = ((b * info.outHeight + y) * info.outWidth + x) * channels + c;
      if ((z[at] as number) <= best) continue;
      best = z[at] as number;
      index[i] = k;
      place[i] = at;
    }
    values[i] = best + (bias.data[c] as number);
    if (!attrs.relu || (values[i] as number) > 0) continue;
    values[i] = 0;
    index[i] = 4;
  }
  return { values, index, place };
}

function check(layer: Layer, draw: typeof integers, compare: typeof expectNear): void {
  const { info, attrs, pooled, seed } = layer;
  const inputs = { x: draw(layer.x, seed), filter: draw(layer.filter, seed + 1) };
  const bias = draw([info.outChannels], seed + 2);
  const dy = draw(pooled, seed + 3);
  const { values, index, place } = referencePool(layer, referenceConvolution(info, inputs).y, bias);
  const [output, found] = runKernel('GradwireConvolvePool', { ...inputs, bias }, attrs);
  compare(output, { shape: pooled, data: values });
  expect(found?.data).toEqual(index);

  const dz = new Float64Array(sizeOf(info.outShape));
  const dBias = new Float64Array(info.outChannels);
  index.forEach((k, i) => {
    if (k === 4) return;
    const [gradient, c] = [dy.data[i] as number, i % info.outChannels];
    dz[place[i] as number] = gradient;
    dBias[c] = (dBias[c] as number) + gradient;
  });
  const expected = referenceConvolution(info, { ...inputs, dy: { shape: info.outShape, data: dz } });
  const indexed = { ...inputs, dy, index: { shape: pooled, data: index, dtype: 'bool' as const } };
  for (const inputNeeded of [true, false]) {
    const results = runKernel('GradwireConvolvePoolGradients', indexed, { ...attrs, inputNeeded });
    compare(results[0], { shape: layer.filter, data: expected.dFilter });
    compare(results[1], { shape: [info.outChannels], data: dBias });
    expect(results.length).toBe(inputNeeded ? 3 : 2);
    if (inputNeeded) compare(results[2], { shape: layer.x, data: expected.dx });
  }
}

test('whole numbers, full of ties: everything is exact, and the first maximum wins', () => {
  fc.assert(
    fc.property(layers, (layer) => check(layer, integers, expectEqual)),
    { seed: 4, numRuns: 300 },
  );
});

test('fractions: everything is within 1e-5 of float64', () => {
  fc.assert(
    fc.property(layers, (layer) => check(layer, fractions, expectNear)),
    { seed: 5, numRuns: 200 },
  );
});

test.each([
  [[28, 28, 1], 32],
  [[13, 13, 32], 64],
])('the layers of mnist-cnn: %j to %i channels', ([height = 0, width = 0, inputs = 0], outputs) => {
  const x = [5, height, width, inputs] as [number, number, number, number];
  const filter = [3, 3, inputs, outputs] as typeof x;
  const info = backend_util.computeConv2DInfo(x, filter, 1, 1, 'valid');
  const pooled = [5, info.outHeight >> 1, info.outWidth >> 1, outputs];
  const attrs = { strides: 1, pad: 'valid' as const, poolPad: 'valid' as const, relu: true };
  check({ x, filter, info, pooled, seed: 6, attrs }, integers, expectEqual);
  check({ x, filter, info, pooled, seed: 7, attrs }, fractions, expectNear);
});

test('equal patches give equal sums: flat pictures, and those that change in one direction only', () => {
  for (const picture of [() => 0.1, (row: number) => row / 7, (_: number, column: number) => column / 7]) {
    const data = Float32Array.from({ length: 8 * 8 * 16 }, (_, i) => {
      const pixel = i >> 4;
      return picture(pixel >> 3, pixel & 7) + (i & 15) / 3;
    });
    const inputs = { x: { shape: [1, 8, 8, 16], data }, filter: fractions([3, 3, 16, 8], 8) };
    const attrs = { strides: 1, pad: 'valid', poolPad: 'valid', relu: false };
    const bias = { shape: [8], data: new Float32Array(8) };
    const index = Array.from(runKernel('GradwireConvolvePool', { ...inputs, bias }, attrs)[1]?.data ?? []);
    // Columns are alike: never the right pixel; rows are alike: never the lower one.
    if (picture(0, 0) === picture(0, 1)) expect(index.filter((k) => k % 2 === 1)).toEqual([]);
    if (picture(0, 0) === picture(1, 0)) expect(index.filter((k) => k >= 2)).toEqual([]);
  }
});

test('NaN is passed on by a window that starts with it, and gets no gradient', () => {
  const x = { shape: [1, 2, 2, 1], data: [Number.NaN, 1, 2, 3] };
  const one = { shape: [1, 1, 1, 1], data: [1] };
  const attrs = { strides: 1, pad: 'valid', poolPad: 'valid', relu: true };
  const [output, index] = runKernel(
    'GradwireConvolvePool',
    { x, filter: one, bias: { shape: [1], data: [0] } },
    attrs,
  );
  expect([output?.data[0], index?.data[0]]).toEqual([Number.NaN, 4]);
});
