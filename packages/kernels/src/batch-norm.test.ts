import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { batchNorm, batchNormGradients } from './operations.ts';
import { expectNear, fractions, runKernel, sizeOf, startKernels } from './test-support.ts';
import type { Sample, Values } from './test-support.ts';

beforeAll(startKernels);

const cases = fc.record({
  // Sums are taken over 64 rows at a time, or 256 where the columns are no multiple of 4.
  rows: fc.oneof(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 60, max: 70 }), fc.constant(259)),
  columns: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(32)),
  /** The mean lies up to this many deviations from zero. */
  center: fc.constantFrom(0, 1, 1000),
  relu: fc.boolean(),
  epsilon: fc.constantFrom(0, 1e-3),
  seed: fc.nat(),
});

interface Inputs {
  x: Values;
  scale: Values;
  offset: Values;
  dy: Values;
}

function draw({ rows, columns, center, seed }: Sample<typeof cases>): Inputs {
  const x = fractions([rows, columns], seed);
  const data = Float32Array.from(x.data, (value, i) => value + center * ((i % columns) / columns));
  const [scale, offset] = [fractions([columns], seed + 1), fractions([columns], seed + 2)];
  return { x: { shape: x.shape, data }, scale, offset, dy: fractions([rows, columns], seed + 3) };
}

interface Column {
  mean: number;
  variance: number;
  dScale: number;
  dOffset: number;
}

function at(values: Values, i: number): number {
  return values.data[i] as number;
}

/** In double precision. `dx` where relu cuts off is decided by the kernel's own output: it may differ around 0. */
function reference(
  { x, scale, offset, dy }: Inputs,
  { epsilon, relu, found }: { epsilon: number; relu: boolean; found: ArrayLike<number> },
): { y: Float64Array; dx: Float64Array; columns: Column[] } {
  const [rows, count] = x.shape as [number, number];
  const [y, dx] = [new Float64Array(rows * count), new Float64Array(rows * count)];
  const gradient = (i: number): number => (relu && !((found[i] as number) > 0) ? 0 : at(dy, i));
  const columns = Array.from({ length: count }, (_, c): Column => {
    const places = Array.from({ length: rows }, (_, row) => row * count + c);
    const sum = (value: (i: number) => number): number => places.reduce((total, i) => total + value(i), 0);
    const mean = sum((i) => at(x, i)) / rows;
    const variance = sum((i) => (at(x, i) - mean) ** 2) / rows;
    const deviation = Math.sqrt(variance + epsilon);
    const normal = (i: number): number => (at(x, i) - mean) / deviation;
    const [dOffset, dScale] = [sum(gradient), sum((i) => gradient(i) * normal(i))];
    for (const i of places) {
      const value = normal(i) * at(scale, c) + at(offset, c);
      y[i] = relu ? Math.max(value, 0) : value;
      dx[i] = (at(scale, c) / deviation) * (gradient(i) - dOffset / rows - (normal(i) * dScale) / rows);
    }
    return { mean, variance, dScale, dOffset };
  });
  return { y, dx, columns };
}

test('outputs, statistics and gradients: within 1e-5 of float64', () => {
  const property = fc.property(cases, (drawn) => {
    const { rows, columns: count, epsilon, relu } = drawn;
    const inputs = draw(drawn);
    const { x, scale, offset, dy } = inputs;
    const [y, mean, variance] = runKernel('GradwireBatchNorm', { x, scale, offset }, { epsilon, relu });
    const output = y as Values;
    const expected = reference(inputs, { epsilon, relu, found: output.data });
    const column = (name: keyof Column): Values => ({
      shape: [count],
      data: expected.columns.map((values) => values[name]),
    });
    expectNear(output, { shape: [rows, count], data: expected.y });
    expectNear(mean, column('mean'));
    expectNear(variance, column('variance'));
    const saved = { x, output, dy, scale, mean: mean as Values, variance: variance as Values };
    const [dx, dScale, dOffset] = runKernel('GradwireBatchNormGradients', saved, { epsilon, relu });
    expectNear(dScale, column('dScale'));
    expectNear(dOffset, column('dOffset'));
    // With few rows the terms of dx cancel: what is left of them is no measure of the error.
    if (rows > 9) expectNear(dx, { shape: [rows, count], data: expected.dx });
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
});

test('a column of equal numbers has no variance, and gives the offset', () => {
  const x = {
    shape: [75, 3],
    data: Float32Array.from({ length: 225 }, (_, i) => [0.1, 7.3e6, -1e-20][i % 3] ?? 0),
  };
  const [scale, offset] = [fractions([3], 1), fractions([3], 2)];
  const [y, mean, variance] = runKernel(
    'GradwireBatchNorm',
    { x, scale, offset },
    { epsilon: 1e-3, relu: false },
  );
  expect(Array.from(variance?.data ?? [])).toEqual([0, 0, 0]);
  expect(Array.from(mean?.data ?? [])).toEqual(Array.from(x.data.subarray(0, 3)));
  expect(Array.from(y?.data ?? [])).toEqual(Array.from({ length: 225 }, (_, i) => offset.data[i % 3]));
});

test('NaN stays in its column', () => {
  const x = fractions([70, 5], 1);
  (x.data as Float32Array)[12] = Number.NaN;
  const [scale, offset] = [fractions([5], 1), fractions([5], 2)];
  const [y] = runKernel('GradwireBatchNorm', { x, scale, offset }, { epsilon: 1e-3, relu: true });
  const found = Array.from(y?.data ?? [], Number.isNaN);
  expect(found).toEqual(Array.from({ length: 350 }, (_, i) => i % 5 === 2));
});

function asTensor({ data, shape }: Values): tf.Tensor {
  return tf.tensor(Float32Array.from(data), [...shape]);
}

test('pictures are normalised over their channels, by the operations too', () => {
  const [shape, channels] = [[3, 5, 4, 6], [6]];
  const options = { epsilon: 1e-3, relu: true };
  const tensors = tf.tidy(() => {
    const [x, dy] = [asTensor(fractions(shape, 1)), asTensor(fractions(shape, 4))];
    const [scale, offset] = [
      asTensor(fractions(channels, 2)) as tf.Tensor1D,
      asTensor(fractions(channels, 3)) as tf.Tensor1D,
    ];
    const forward = batchNorm({ x, scale, offset }, options);
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    const expected = tf.relu(
      tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, offset, scale, 1e-3),
    );
    expect(tf.max(tf.abs(tf.sub(forward.output, expected))).dataSync()[0]).toBeLessThan(1e-5);
    return { ...forward, ...batchNormGradients({ x, dy, scale, ...forward }, options) };
  });
  expect(Object.keys(tensors)).toEqual(['output', 'mean', 'variance', 'dx', 'dScale', 'dOffset']);
  expect([tensors.dx.shape, tensors.dScale.shape, tensors.mean.shape]).toEqual([shape, channels, channels]);
  tf.dispose(tensors);
});

test('tfjs batch normalisation with given statistics: within 1e-5 of float64, scale and offset or none', () => {
  const property = fc.property(cases, fc.boolean(), (drawn, plain) => {
    const { rows, columns, seed } = drawn;
    const { x, scale, offset } = draw(drawn);
    const mean = fractions([columns], seed + 4);
    const variance = { shape: [columns], data: fractions([columns], seed + 5).data };
    for (let i = 0; i < columns; i++)
      (variance.data as Float32Array)[i] = Math.abs(variance.data[i] as number) + 0.1;
    const data = Float64Array.from({ length: sizeOf([rows, columns]) }, (_, i) => {
      const [value, c] = [x.data[i] as number, i % columns];
      const normal = (value - (mean.data[c] as number)) / Math.sqrt((variance.data[c] as number) + 1e-3);
      return plain ? normal : normal * (scale.data[c] as number) + (offset.data[c] as number);
    });
    const inputs = { x, mean, variance, ...(plain ? {} : { scale, offset }) };
    expectNear(runKernel('FusedBatchNorm', inputs, { varianceEpsilon: 1e-3 })[0], { shape: x.shape, data });
  });
  fc.assert(property, { seed: 2, numRuns: 200 });
});

test('wrong shapes never reach the heap', () => {
  const [x, three, four] = [fractions([5, 3], 1), fractions([3], 2), fractions([4], 3)];
  const options = { epsilon: 1e-3, relu: true };
  const run = (inputs: Parameters<typeof runKernel>[1]) => () =>
    runKernel('GradwireBatchNorm', inputs, options);
  expect(run({ x, scale: four, offset: three })).toThrow('scale: expected shape [3], found [4]');
  expect(run({ x: fractions([0, 3], 1), scale: three, offset: three })).toThrow(RangeError);
  const saved = { x, scale: three, mean: three, variance: three, output: x, dy: fractions([3, 5], 1) };
  expect(() => runKernel('GradwireBatchNormGradients', saved, options)).toThrow('dy: expected shape');
});
