import { prepareBackend } from '@gradwire/backend';
import type { LayerSpec, ModelSpec } from '@gradwire/models';
import { initialWeights, mnistCnn, mnistCnnSmall, parameterLayout } from '@gradwire/models';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import { getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import type { Batch, GradientSum } from '../index.ts';
import { createTrainer } from '../index.ts';

beforeAll(async () => {
  await prepareBackend('wasm');
});

const task = { type: 'multiclass', classes: 10 } as const;
const conv = { type: 'conv2d', filters: 6, kernelSize: 3 } as const;
const pool = { type: 'maxPooling2d', poolSize: 2 } as const;
const end: LayerSpec[] = [{ type: 'flatten' }, { type: 'dense', units: 10 }];
const odd: ModelSpec = {
  name: 'odd sides, same padding, strides, linear',
  inputShape: [13, 11, 3],
  layers: [
    { ...conv, padding: 'same', activation: 'relu' },
    { ...pool, padding: 'same' },
    { ...conv, filters: 9, strides: 2, padding: 'same' },
    { ...pool, padding: 'same' },
    ...end,
  ],
};

test.each([mnistCnn, mnistCnnSmall, odd])('$name: fused and plain gradients agree to 1e-5', (model) => {
  const fused = gradientOf(model);
  const plain = withoutFusedKernels(() => gradientOf(model));
  // Other kernels, other roundings: if all bits were equal, the plain path would not have been taken.
  expect(fused.gradient).not.toEqual(plain.gradient);
  expect(fused.metrics[0]).toBeCloseTo(plain.metrics[0] as number, 4);
  for (const { offset, size } of parameterLayout(model).parameters) {
    const [a, b] = [fused, plain].map(({ gradient }) => gradient.subarray(offset, offset + size));
    const largest = (b as Float32Array).reduce((max, g) => Math.max(max, Math.abs(g)), 0);
    const difference = (a as Float32Array).reduce(
      (max, g, i) => Math.max(max, Math.abs(g - (b?.[i] as number))),
      0,
    );
    expect(difference).toBeLessThan(1e-5 * largest);
  }
});

function gradientOf(model: ModelSpec): GradientSum {
  const trainer = createTrainer({ recipe: { model, task, seed: 3 } });
  trainer.setWeights(initialWeights(model, 3));
  const result = trainer.gradient(randomBatch(model));
  trainer.dispose();
  return result;
}

function randomBatch(model: ModelSpec): Batch {
  const count = 7;
  const size = model.inputShape.reduce((product, side) => product * side, count);
  const labels = Uint8Array.from({ length: count }, (_, i) => i);
  const features = Float32Array.from(uniform({ seed: 9, stream: 'probe' }, size));
  return { features, targets: targets(labels, task), labels, count };
}

function withoutFusedKernels<T>(action: () => T): T {
  const kernel = getKernel('GradwireConvolvePool', 'wasm');
  unregisterKernel(kernel.kernelName, 'wasm');
  try {
    return action();
  } finally {
    registerKernel(kernel);
  }
}
