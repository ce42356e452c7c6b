import { findRecipe, withOverrides } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { compareRecipes } from './compare-recipes.ts';

const recipe = findRecipe('mnist-mlp');

test('each difference is named with both values', () => {
  expect(compareRecipes(recipe, { ...recipe, description: 'Other words.' })).toEqual([]);
  const other = {
    ...withOverrides(recipe, { epochs: 77, steps: 5 }),
    optimizer: { type: 'sgd', momentum: 0.5 },
  } as const;
  expect(compareRecipes(recipe, other)).toEqual([
    { setting: 'optimizer.type', first: recipe.optimizer.type, second: 'sgd' },
    { setting: 'epochs', first: recipe.epochs, second: 77 },
    { setting: 'optimizer.momentum', first: undefined, second: 0.5 },
    { setting: 'steps', first: undefined, second: 5 },
  ]);
});
