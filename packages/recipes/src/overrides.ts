import type { CodecSpec } from './codec.ts';
import type { Recipe } from './recipe.ts';
import type { Strategy } from './strategy.ts';
import { validateRecipe } from './validate-recipe.ts';

/** Settings that a command line may replace; `undefined` keeps the recipe's own. */
export interface RecipeOverrides {
  readonly epochs?: number | undefined;
  readonly steps?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly shards?: number | undefined;
  readonly seed?: number | undefined;
  readonly strategy?: Strategy | undefined;
  readonly codec?: CodecSpec | undefined;
}

/**
 * The recipe with some settings replaced, as a new object (with another hash).
 * Throws `GradwireError` RECIPE_INVALID if a replacement is not acceptable.
 */
export function withOverrides(recipe: Recipe, overrides: RecipeOverrides): Recipe {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return validateRecipe(
    { ...recipe, ...Object.fromEntries(given) },
    `Recipe ${recipe.name} with these options`,
  );
}
