import { expect, test } from 'vitest';
import { countSteps } from './count-steps.ts';
import { findRecipe } from './registry.ts';
import { trainingSamples } from './training-samples.ts';

test('an epoch takes every sample that is trained on once, and none that is held out', () => {
  const recipe = { ...findRecipe('mnist-cnn'), validationShare: 0.2 };
  const { training, validation, microBatch } = trainingSamples(recipe, 1_003);
  const { stepsPerEpoch } = countSteps(recipe, training.length);
  const seen: number[] = [];
  for (let step = 0; step < stepsPerEpoch; step += 1) {
    for (let shard = 0; shard < recipe.shards; shard += 1)
      seen.push(...microBatch({ epoch: 2, step, shard }));
  }
  expect(Uint32Array.from(seen).sort()).toEqual(training);
  expect([...training, ...validation].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 1_003 }, (_, sample) => sample),
  );
});
