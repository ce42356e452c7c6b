import { parameterLayout } from '@gradwire/models';
import { findRecipe, recipes } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { describeRecipe } from './describe-recipe.ts';

test.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
  'the total of %s is the size of its layout',
  (_, recipe) => {
    const last = describeRecipe(recipe, 'hash').split('\n').at(-1);
    expect(last).toMatch(/^ +total /);
    expect(Number(last?.replaceAll(/\D/g, ''))).toBe(parameterLayout(recipe.model).size);
  },
);

test('every setting of a recipe is shown', () => {
  const text = describeRecipe(
    {
      ...findRecipe('mnist-cnn'),
      task: { type: 'multiclass', classes: 10, smoothing: 0.07 },
      optimizer: { type: 'adamw', weightDecay: 0.02 },
      schedule: { type: 'one-cycle', learningRate: 0.25, riseShare: 0.4, warmupSteps: 17 },
      l2: 0.0625,
      clipNorm: 1.5,
      strategy: { type: 'diloco', localSteps: 48, outerMomentum: 0.8 },
      codec: { gradients: { type: 'top-k', share: 0.03 }, weights: 'float16' },
      steps: 1234,
      validationShare: 0.1,
      seed: 99,
    },
    'f00d',
  );
  for (const part of [
    'cross-entropy, label smoothing 0.07)',
    'weight decay 0.02',
    'learning rate 0.25, rise share 0.4, after 17 steps',
    '0.0625',
    '1.5',
    'gradients top-k by 4 shards, the largest 3 %, weights float16',
    '48 local steps of each shard; outer learning rate 1, Nesterov momentum 0.8',
  ]) {
    expect(text).toContain(part);
  }
  for (const part of ['1,234', '10 %', '99', 'f00d', '11 x 11 x 64 ']) expect(text).toContain(part);
});
