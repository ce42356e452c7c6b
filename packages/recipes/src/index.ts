export { canonicalJson } from './canonical-json.ts';
export { closestName } from './closest-name.ts';
export { withOverrides } from './overrides.ts';
export { recipeHash } from './recipe-hash.ts';
export { findRecipe, recipes } from './registry.ts';
export { validateRecipe } from './validate-recipe.ts';
export type { RecipeOverrides } from './overrides.ts';
export type { Recipe } from './recipe.ts';
