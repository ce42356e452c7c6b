import { parameterLayout } from '@gradwire/models';
import { findRecipe, recipes } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { explainRecipe, explanationText } from './explain-recipe.ts';

test.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
  '%s: each layer has a row, and the totals are those of its layout',
  (_, recipe) => {
    const explanation = explainRecipe(recipe);
    expect(explanation.parameters).toBe(parameterLayout(recipe.model).size);
    expect(explanation.blocks.flatMap(({ layers }) => layers).length).toBe(recipe.model.layers.length);
    const lines = explanationText(recipe, explanation).split('\n');
    const total = lines.find((line) => line.includes('total')) ?? '';
    expect(total).toContain(explanation.parameters.toLocaleString('en-US'));
    expect(total).toContain(explanation.multiplications.toLocaleString('en-US'));
  },
);

test('a block is numbered and its path named once, at its first layer', () => {
  const recipe = findRecipe('mnist-cnn');
  const lines = explanationText(recipe, explainRecipe(recipe)).split('\n');
  expect(lines.slice(2, 6).map((line) => line.replaceAll(/ {2,}/g, '|'))).toEqual([
    '|block|layer|output|parameters|multiplications|path',
    '|input|28 x 28 x 1',
    '|1|conv2d_1|26 x 26 x 32|320|194,688|kernel',
    '|max_pooling2d_1|13 x 13 x 32',
  ]);
  expect(lines.at(-2)).toMatch(/^ {2}kernel: /);
  expect(lines.join()).not.toContain('plain:');
});
