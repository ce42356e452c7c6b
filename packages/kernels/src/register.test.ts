import { dirname, sep } from 'node:path';
import { createRequire } from 'node:module';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import type { Sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import './register.ts';
import { loadKernels } from './load-kernels.ts';
import { fractions } from './test-support.ts';

beforeAll(async () => {
  const require = createRequire(import.meta.url);
  setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  await tf.setBackend('wasm');
});

function convolutional(): Sequential {
  const kernelInitializer = 'zeros';
  return sequential({
    layers: [
      layers.conv2d({ inputShape: [10, 9, 3], filters: 6, kernelSize: 3, kernelInitializer }),
      layers.maxPooling2d({ poolSize: 2, padding: 'same' }),
      layers.separableConv2d({
        filters: 5,
        kernelSize: 2,
        padding: 'same',
        activation: 'relu',
        depthwiseInitializer: 'zeros',
        pointwiseInitializer: 'zeros',
      }),
      layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
      layers.flatten(),
      layers.dense({ units: 4, kernelInitializer }),
    ],
  });
}

test('the gradient of a layers model agrees with finite differences', () => {
  const model = convolutional();
  model.setWeights(model.getWeights().map((weight, i) => asTensor(weight.shape, i, 0.5)));
  const [x, y] = [asTensor([3, 10, 9, 3], 20, 1), asTensor([3, 4], 21, 1)];
  const loss = (): tf.Scalar => tf.losses.meanSquaredError(y, model.apply(x) as tf.Tensor);
  const variables = model.trainableWeights.map((weight) => weight.read() as unknown as tf.Variable);
  const { grads } = tf.variableGrads(loss, variables);
  for (const variable of variables) {
    const gradient = grads[variable.name]?.dataSync<'float32'>() as Float32Array;
    const along = asTensor(variable.shape, 30, 1);
    const start = variable.clone();
    const at = (step: number): number => {
      variable.assign(tf.add(start, tf.mul(along, step)));
      return loss().dataSync()[0] as number;
    };
    const difference = (at(1e-3) - at(-1e-3)) / 2e-3;
    variable.assign(start);
    const expected = along
      .dataSync<'float32'>()
      .reduce((sum, value, i) => sum + value * (gradient[i] as number), 0);
    expect(Math.abs(expected)).toBeGreaterThan(1e-4);
    expect(Math.abs(difference - expected)).toBeLessThan(2e-2 * Math.abs(expected) + 1e-4);
  }
});

test('model.fit learns', async () => {
  const model = convolutional();
  model.setWeights(model.getWeights().map((weight, i) => asTensor(weight.shape, i, 0.3)));
  model.compile({ optimizer: tf.train.adam(0.02), loss: 'meanSquaredError' });
  const [x, y] = [asTensor([12, 10, 9, 3], 20, 1), asTensor([12, 4], 21, 1)];
  const { history } = await model.fit(x, y, { epochs: 30, batchSize: 12, shuffle: false });
  const losses = history['loss'] as number[];
  expect(losses.at(-1)).toBeLessThan(0.3 * (losses[0] as number));
});

test('loading again changes nothing', async () => {
  const before = tf.getKernel('MaxPoolGrad', 'wasm');
  await loadKernels();
  expect(tf.getKernel('MaxPoolGrad', 'wasm')).toBe(before);
});

test('bytes that are no kernels are refused', async () => {
  await expect(loadKernels(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
});

function asTensor(shape: readonly (number | null)[], seed: number, scale: number): tf.Tensor {
  const { data } = fractions(shape as number[], seed);
  return tf.tensor(
    Float32Array.from(data, (value) => value * scale),
    shape as number[],
  );
}
