import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { loadWasm } from './load-wasm.ts';

beforeAll(async () => {
  await loadWasm();
});

const near = (found: tf.Tensor, expected: number[]): void => {
  Array.from(found.dataSync()).forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
};

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

test('the training kernels are registered', () => {
  for (const name of ['Conv2DBackpropFilter', 'DepthwiseConv2dNativeBackpropFilter']) {
    expect(tf.getKernel(name, 'wasm')).toBeDefined();
  }
});

test('the kernel hash is the same each time', async () => {
  expect((await loadWasm()).kernelHash).toBe((await loadWasm()).kernelHash);
});
