import { prepareBackend } from '@gradwire/backend';
import { createOptimizer, type ParameterLayout } from '@gradwire/engine';
import { normal } from '@gradwire/random';
import { tensor1d, tidy, train, variable } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';

const size = 1_000;
const steps = 100;
const learningRate = 0.001;
const layout: ParameterLayout = {
  size,
  parameters: [{ name: 'w', role: 'kernel', shape: [size], offset: 0, size }],
};

beforeAll(async () => {
  await prepareBackend('wasm');
});

/** Gradients as a network has them: of very different sizes, slowly changing, some always zero. */
function gradientAt(step: number): Float32Array {
  const noise = normal({ seed: 5, stream: 'probe', a: step }, size);
  return Float32Array.from(noise, (value, i) => (i % 10 === 0 ? 0 : (value + 0.3) * 10 ** (-(i % 7) - 1)));
}

function initial(): Float32Array {
  return Float32Array.from(normal({ seed: 6, stream: 'weights' }, size), (value) => value * 0.1);
}

/** The weights after every step, of `tf.train.adam`. */
function stepsOfTfjs(): Float32Array[] {
  const weights = variable(tensor1d(initial()), true, 'w');
  const optimizer = train.adam(learningRate);
  const results = Array.from({ length: steps }, (_, step) => {
    tidy(() => optimizer.applyGradients([{ name: 'w', tensor: tensor1d(gradientAt(step)) }]));
    return Float32Array.from(weights.dataSync());
  });
  optimizer.dispose();
  weights.dispose();
  return results;
}

test('the weights stay within 1e-6 of those of tf.train.adam over 100 steps', () => {
  const expected = stepsOfTfjs();
  const weights = initial();
  const adam = createOptimizer({ type: 'adam' }, layout);
  for (const [step, theirs] of expected.entries()) {
    adam.step({ weights, gradient: gradientAt(step) }, learningRate);
    expect(largestDifference(weights, theirs), `step ${step + 1}`).toBeLessThan(1e-6);
  }
  expect(largestDifference(weights, initial())).toBeGreaterThan(20 * learningRate);
});

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? Number.NaN))), 0);
}
