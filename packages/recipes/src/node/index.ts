export { loadRecipe } from './load-recipe.ts';
export type { LoadedRecipe } from './load-recipe.ts';
