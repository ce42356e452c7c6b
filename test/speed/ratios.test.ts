// Regressions of speed, by ratio to something measured in the same process in turn with it, and generous: what fails
// here is several times slower than it was. How fast things are: `npm run bench`.
import { prepareBackend } from '@gradwire/backend';
import { createOptimizer } from '@gradwire/engine';
import { initialWeights, parameterLayout } from '@gradwire/models';
import { createModel } from '@gradwire/models/layers-model';
import { uniform } from '@gradwire/random';
import { findRecipe } from '@gradwire/recipes';
import { createBatcher, createTrainer } from '@gradwire/training';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';

const recipe = findRecipe('mnist-cnn');
const weights = initialWeights(recipe.model, 1);

test('a gradient takes at most three quarters of the time that the same network takes as tf.layers', async () => {
  await prepareBackend('wasm');
  const count = 32;
  const features = Uint8Array.from(uniform({ seed: 1, stream: 'noise' }, count * 784), (x) => x * 256);
  const labels = Uint8Array.from({ length: count }, (_, sample) => sample % 10);
  const batch = createBatcher({ ...recipe, features: { type: 'normalise' } })({ features, labels });
  const trainer = createTrainer({ recipe });
  trainer.setWeights(weights);
  const model = await createModel({ spec: recipe.model, task: recipe.task }, weights, { output: 'logits' });
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const byLayers = (): void =>
    tf.tidy(() => {
      const x = tf.tensor(batch.features, [count, 28, 28, 1]);
      const y = tf.tensor2d(batch.targets, [count, 10]);
      const { grads } = tf.variableGrads(
        () => tf.losses.softmaxCrossEntropy(y, model.apply(x) as tf.Tensor),
        variables,
      );
      for (const gradient of Object.values(grads)) gradient.dataSync();
    });

  expect(bestRatio(() => trainer.gradient(batch), byLayers, 20)).toBeLessThan(0.75);
  trainer.dispose();
  model.dispose();
});

test('an optimizer step takes at most four times as long as the textbook loop', () => {
  const layout = parameterLayout(recipe.model);
  const gradient = Float32Array.from(uniform({ seed: 1, stream: 'noise' }, layout.size));
  const [ours, plain] = [weights.slice(), weights.slice()];
  const optimizer = createOptimizer(recipe.optimizer, layout);
  const [m, v] = [new Float32Array(layout.size), new Float32Array(layout.size)];
  const textbook = (): void => {
    for (let i = 0; i < layout.size; i += 1) {
      const g = gradient[i] ?? 0;
      const first = 0.9 * (m[i] ?? 0) + 0.1 * g;
      const second = 0.999 * (v[i] ?? 0) + 0.001 * g * g;
      m[i] = first;
      v[i] = second;
      plain[i] = (plain[i] ?? 0) - (0.001 * first) / (Math.sqrt(second) + 1e-7);
    }
  };

  expect(bestRatio(() => optimizer.step({ weights: ours, gradient }, 0.001), textbook, 100)).toBeLessThan(4);
});

/** The best time of `ours` over the best of `other`, which take turns: the least that other work on the machine adds. */
function bestRatio(ours: () => unknown, other: () => unknown, rounds: number): number {
  const best = [Infinity, Infinity];
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, task] of [ours, other].entries()) {
      const startMs = performance.now();
      task();
      best[i] = Math.min(best[i] ?? Infinity, performance.now() - startMs);
    }
  }
  const [a = 0, b = 0] = best;
  return a / b;
}
