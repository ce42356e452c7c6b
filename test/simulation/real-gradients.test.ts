import { prepareBackend } from '@gradwire/backend';
import { type Dataset } from '@gradwire/data';
import { featureStatistics } from '@gradwire/preprocess';
import { findRecipe } from '@gradwire/recipes';
import { type Scenario, simulate, type Work } from '@gradwire/simulator';
import { createBatcher, createTrainer } from '@gradwire/training';
import { expect, test } from 'vitest';
import { readMnist } from '../harness/mnist.ts';

/** Gradients and evaluations of a real network on real digits: a function of weights, place in the run and leaf. */
function createRealWork(data: Dataset): { adapt: (scenario: Scenario) => Scenario; computed: () => number } {
  const recipe = findRecipe('mnist-logistic');
  const trainer = createTrainer({ recipe });
  const batcher = createBatcher(recipe, featureStatistics(data));
  let computed = 0;
  const work: Work = (weights, { task, version }, { leaf, samples }) => {
    computed++;
    trainer.setWeights(weights);
    const first = (7_919 * version + 104_729 * leaf + (task === 'step' ? 0 : 31)) % (data.count - samples);
    const batch = batcher(
      data,
      Uint32Array.from({ length: samples }, (_, i) => first + i),
    );
    if (task === 'step') return { samples, ...trainer.gradient(batch, { step: version, shard: leaf }) };
    return { samples, gradient: new Float32Array(0), metrics: trainer.evaluate(batch) };
  };
  const adapt = (scenario: Scenario): Scenario => ({
    ...scenario,
    work,
    plan: { ...scenario.plan, layout: trainer.layout, initialWeights: trainer.initialWeights(), classes: 10 },
  });
  return { adapt, computed: () => computed };
}

test('200 seeds with the gradients of a real network keep every promise', { timeout: 600_000 }, async () => {
  await prepareBackend('wasm');
  const { adapt, computed } = createRealWork((await readMnist()).train);
  let struck = 0;
  for (let seed = 0; seed < 200; seed++) {
    const { broken, faults } = simulate(seed, { adapt });
    expect(broken, `seed ${seed}`).toBeUndefined();
    struck += Object.values(faults).reduce((sum, times) => sum + times);
  }
  expect(computed()).toBeGreaterThan(4_000);
  expect(struck).toBeGreaterThan(1_000);
});
