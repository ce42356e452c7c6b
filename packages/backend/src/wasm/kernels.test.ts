import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { hashKernels } from '../prepared-backend.ts';
import { loadWasm } from './load-wasm.ts';
import { kernelVersion, registerTrainingKernels } from './register-kernels.ts';

type Sample<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

beforeAll(async () => {
  await loadWasm();
});

const side = fc.integer({ min: 1, max: 12 });
const integers = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => ((Math.imul(i + seed, 2654435761) >>> 8) % 15) - 7);

const near = (found: tf.Tensor, expected: number[]): void => {
  Array.from(found.dataSync()).forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
};

const fractions = (shape: number[], seed: number): tf.Tensor => {
  const values = integers(
    shape.reduce((a, b) => a * b),
    seed,
  ).map((value) => value / 31);
  return tf.tensor(values, shape);
};

const run = (name: string, inputs: Record<string, tf.Tensor>, attrs: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs as never, attrs as never) as tf.Tensor;

test('matMul is exact for every combination of flags', () => {
  const cases = fc.record({ m: side, k: side, n: side, transposeA: fc.boolean(), transposeB: fc.boolean() });
  const check = ({ m, k, n, transposeA, transposeB }: Sample<typeof cases>): void => {
    const a = integers(m * k, 1);
    const b = integers(k * n, 2);
    const expected = new Float32Array(m * n);
    for (let i = 0; i < m * n; i++) {
      const [row, column] = [Math.floor(i / n), i % n];
      for (let l = 0; l < k; l++) {
        const left = a[transposeA ? l * m + row : row * k + l] as number;
        const right = b[transposeB ? column * k + l : l * n + column] as number;
        expected[i] = (expected[i] as number) + left * right;
      }
    }
    const left = tf.tensor2d(a, transposeA ? [k, m] : [m, k]);
    const right = tf.tensor2d(b, transposeB ? [n, k] : [k, n]);
    const product = unchanged(() => tf.matMul(left, right, transposeA, transposeB));
    expect(product).toEqual({ shape: [m, n], values: expected });
  };
  fc.assert(fc.property(cases, check), { seed: 4, numRuns: 200 });
});

test('stacks of matrices, alone or several, keep their shape', () => {
  for (const stack of [1, 3]) {
    const a = tf.tensor3d(integers(stack * 6, 1), [stack, 3, 2]);
    const b = tf.tensor3d(integers(stack * 12, 2), [stack, 4, 3]);
    const parts = [...Array(stack).keys()].flatMap((i) => {
      const product = tf.matMul(
        tf.tensor2d(integers(stack * 6, 1).subarray(i * 6, i * 6 + 6), [3, 2]),
        tf.tensor2d(integers(stack * 12, 2).subarray(i * 12, i * 12 + 12), [4, 3]),
        true,
        true,
      );
      return Array.from(product.dataSync());
    });
    const found = unchanged(() => tf.matMul(a, b, true, true));
    expect(found).toEqual({ shape: [stack, 2, 4], values: Float32Array.from(parts) });
  }
});

test('sum over any axes equals the plain sum', () => {
  const cases = fc.record({
    shape: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
    bits: fc.integer({ min: 1, max: 15 }),
    keepDims: fc.boolean(),
  });
  const check = ({ shape, bits, keepDims }: Sample<typeof cases>): void => {
    const axes = [...shape.keys()].filter((axis) => (bits >> axis) & 1);
    fc.pre(axes.length > 0);
    const values = integers(
      shape.reduce((a, b) => a * b),
      3,
    );
    const kept = shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    const expected = new Float32Array(kept.reduce((a, b) => a * b));
    values.forEach((value, index) => {
      let [rest, place, scale] = [index, 0, 1];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const coordinate = rest % (shape[axis] as number);
        rest = Math.floor(rest / (shape[axis] as number));
        if (axes.includes(axis)) continue;
        place += coordinate * scale;
        scale *= shape[axis] as number;
      }
      expected[place] = (expected[place] as number) + value;
    });
    const x = tf.tensor(values, shape);
    const found = unchanged(() => tf.sum(x, axes, keepDims));
    const outShape = keepDims ? kept : shape.filter((_, axis) => !axes.includes(axis));
    expect(found).toEqual({ shape: outShape, values: expected });
  };
  fc.assert(fc.property(cases, check), { seed: 5, numRuns: 300 });
});

test('a clone shares its data and outlives the original', () => {
  const before = tf.memory();
  const original = tf.tensor1d([1, 2, 3]);
  const copy = original.clone();
  const cast = tf.cast(original, 'float32');
  expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers + 1);
  original.dispose();
  expect(Array.from(copy.dataSync())).toEqual([1, 2, 3]);
  copy.dispose();
  expect(Array.from(cast.dataSync())).toEqual([1, 2, 3]);
  cast.dispose();
  expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
});

test('cast to another type still converts', () => {
  const found = tf.cast(tf.tensor1d([1.7, -1.7, 0]), 'int32');
  expect(found.dtype).toBe('int32');
  expect(Array.from(found.dataSync())).toEqual([1, -1, 0]);
});

test('the losses and look-ups of a training loop exist on the backend', () => {
  const logits = tf.tensor2d([1, 2, 3, 0, 0, 0], [2, 3]);
  const labels = tf.oneHot(tf.tensor1d([2, 0], 'int32'), 3);
  near(tf.losses.softmaxCrossEntropy(labels, logits), [(0.407606 + Math.log(3)) / 2]);
  near(tf.losses.sigmoidCrossEntropy(labels, logits), [
    (1.313262 + 2.126928 + 0.048587 + 3 * Math.log(2)) / 6,
  ]);
  near(tf.logSoftmax(logits), [-2.407606, -1.407606, -0.407606, ...Array(3).fill(-Math.log(3))]);
  near(tf.softmax(logits), [0.0900306, 0.2447285, 0.6652409, 1 / 3, 1 / 3, 1 / 3]);
  expect(Array.from(tf.argMax(logits, 1).dataSync())).toEqual([2, 0]);
  expect(Array.from(tf.gather(logits, tf.tensor1d([1], 'int32')).dataSync())).toEqual([0, 0, 0]);
  expect(Array.from(tf.step(tf.tensor1d([-1, 0, 2])).dataSync())).toEqual([0, 0, 1]);
});

test('registering twice changes nothing', () => {
  const before = tf.getKernel('MaxPoolGrad', 'wasm');
  registerTrainingKernels();
  expect(tf.getKernel('MaxPoolGrad', 'wasm')).toBe(before);
});

test('the bits of a gradient are those of this kernel version', async () => {
  const hash = await hashKernels(...networkGradient().map((values) => new Uint8Array(values.buffer)));
  // Other bits need another `kernelVersion`: workers with old and new kernels must not share a run.
  expect({ kernelVersion, hash }).toEqual({
    kernelVersion: '1',
    hash: 'abd2728e6031cf2bb14293ed5b56f5b15401974f540b52b9fc37eb3768767444',
  });
});

/** Gradients of two convolutions, the first pooled, and a matrix product, whose values are fractions that round. */
function networkGradient(): Float32Array[] {
  const convolution = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC' };
  const pooling = { filterSize: [2, 2], strides: [2, 2], pad: 'valid' };
  const [x, f, g] = [fractions([5, 14, 14, 1], 1), fractions([3, 3, 1, 16], 2), fractions([3, 3, 16, 8], 3)];
  const first = tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, 'same');
  const pooled = tf.maxPool(first as tf.Tensor4D, 2, 2, 'valid');
  const second = tf.conv2d(pooled, g as tf.Tensor4D, 1, 'same');
  const weights = fractions([392, 10], 4);
  const dLogits = fractions([5, 10], 5);
  const dFlat = tf.matMul(dLogits as tf.Tensor2D, weights as tf.Tensor2D, false, true);
  const dSecond = tf.mul(tf.reshape(dFlat, second.shape), tf.step(second));
  const inner = { ...convolution, filterShape: g.shape, inputShape: pooled.shape };
  const dPooled = run('Conv2DBackpropInput', { dy: dSecond, filter: g }, inner);
  const dFirst = run('MaxPoolGrad', { dy: dPooled, input: first, output: pooled }, pooling);
  const gradients = [
    run('Conv2DBackpropFilter', { x, dy: dFirst }, { ...convolution, filterShape: f.shape }),
    run('Conv2DBackpropFilter', { x: pooled, dy: dSecond }, inner),
    tf.sum(dSecond, [0, 1, 2]),
    tf.matMul(tf.reshape(second, [5, 392]) as tf.Tensor2D, dLogits as tf.Tensor2D, true, false),
  ];
  return gradients.map((gradient) => gradient.dataSync<'float32'>());
}

/** Runs an operation and checks that nothing but its result was left on the heap. */
function unchanged(run: () => tf.Tensor): { shape: number[]; values: Float32Array } {
  return tf.tidy(() => {
    const buffers = tf.backend().numDataIds();
    const result = run();
    expect(tf.backend().numDataIds()).toBe(buffers + 1);
    return { shape: result.shape, values: result.dataSync<'float32'>() } as never;
  });
}
