import type { ModelExtras } from '@gradwire/checkpoint';
import { showValue } from '@gradwire/errors';
import { canonicalJson, type Recipe } from '@gradwire/recipes';
import { compareRecipes } from '../settings/compare-recipes.ts';

/** What a model keeps of the data that it was trained on; what is absent is not compared. */
export type DataFacts = Partial<Omit<ModelExtras, 'recipe'>>;

/** Compares what `model/gradwire.json` says besides the weights with the run's recipe and its data. */
export function auditManifest(model: ModelExtras, recipe: Recipe, data: DataFacts): string[] {
  const problems = compareRecipes(recipe, model.recipe as Recipe).map(
    ({ setting, first, second }) =>
      `the model: expected ${setting} ${showValue(first)} of the recipe, found ${showValue(second)}`,
  );
  for (const name of ['classNames', 'statistics'] as const) {
    const [expected, found] = [data[name], model[name]];
    if (expected === undefined || (found !== undefined && canonicalJson(found) === canonicalJson(expected)))
      continue;
    problems.push(
      `the model: expected ${name} ${showValue(expected)} of the data set, found ${showValue(found)}`,
    );
  }
  return problems;
}
