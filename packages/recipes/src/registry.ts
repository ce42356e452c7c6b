import { GradwireError } from '@gradwire/errors';
import { mnistCnnRecipes } from './built-in/mnist-cnn.ts';
import { mnistDeepRecipes } from './built-in/mnist-deep.ts';
import { mnistDenseRecipes } from './built-in/mnist-dense.ts';
import { mnistFastRecipe } from './built-in/mnist-fast.ts';
import { mnistTaskRecipes } from './built-in/mnist-tasks.ts';
import { closestName } from './closest-name.ts';
import type { Recipe } from './recipe.ts';

/** The built-in recipes, in the order in which they are listed. */
export const recipes: readonly Recipe[] = [
  mnistFastRecipe,
  ...mnistCnnRecipes,
  ...mnistDeepRecipes,
  ...mnistDenseRecipes,
  ...mnistTaskRecipes,
];

/**
 * The built-in recipe of that name.
 * Throws `GradwireError` OPTION_INVALID, with the nearest name, if there is none.
 */
export function findRecipe(name: string): Recipe {
  const found = recipes.find((recipe) => recipe.name === name);
  if (found) return found;
  const names = recipes.map((recipe) => recipe.name);
  const near = closestName(name, names);
  const message = `Recipe: expected one of ${names.join(', ')}, found ${JSON.stringify(name)}`;
  throw new GradwireError('OPTION_INVALID', near ? `${message}; did you mean ${near}?` : message, {
    hint: 'For a recipe of your own give its file, with a folder: --recipe ./mine.js',
  });
}
