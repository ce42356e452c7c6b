import { GradwireError } from '@gradwire/errors';
import { expect, test } from 'vitest';
import { findRecipe, recipes, validateRecipe, withOverrides } from './index.ts';

test('the built-in recipes are listed under their names and are valid plain data', () => {
  expect(recipes.map(({ name }) => name)).toEqual([
    'mnist-fast',
    'mnist-cnn',
    'mnist-cnn-small',
    'mnist-deep',
    'mnist-separable',
    'mnist-logistic',
    'mnist-mlp',
    'mnist-multilabel',
    'mnist-is-seven',
  ]);
  for (const recipe of recipes) {
    expect(validateRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
    expect(findRecipe(recipe.name)).toBe(recipe);
  }
});

test("mnist-cnn has the article's settings", () => {
  expect(findRecipe('mnist-cnn')).toMatchObject({
    batchSize: 128,
    shards: 8,
    epochs: 10,
    optimizer: { type: 'adam' },
    schedule: { type: 'constant', learningRate: 0.001 },
    features: { type: 'standardise' },
  });
});

test('an unknown name is refused, with the one that was meant', () => {
  expect(() => findRecipe('minst-cnn')).toThrow(/found "minst-cnn"; did you mean mnist-cnn\?/);
  expect(() => findRecipe('zzz')).toThrow(GradwireError);
  expect(() => findRecipe('zzz')).not.toThrow(/did you mean/);
});

test('overrides replace what is given, keep the rest and are validated', () => {
  const recipe = findRecipe('mnist-cnn');
  expect(withOverrides(recipe, { epochs: undefined })).toEqual(recipe);
  expect(withOverrides(recipe, { epochs: 1, steps: 60, seed: 7 })).toEqual({
    ...recipe,
    epochs: 1,
    steps: 60,
    seed: 7,
  });
  expect(() => withOverrides(recipe, { shards: 1025 })).toThrow(
    /shards: expected a whole number from 1 to 1,024, found 1025/,
  );
});
