import { writeFile } from 'node:fs/promises';
import { parameterLayout } from '@gradwire/models';
import { countSteps, recipeHash, recipes, validateRecipe, withOverrides } from '@gradwire/recipes';
import { loadRecipe } from '@gradwire/recipes/node';
import { messageLimits } from '@gradwire/protocol';
import * as fc from 'fast-check';
import { bytesFrom, jsonOf, valuesFrom } from '../mutate.mjs';

const number = fc.oneof(
  fc.constant(undefined),
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, 1, 2 ** 32, NaN, '3', null, []),
);
const strategies = [
  { type: 'diloco', localSteps: 8 },
  { type: 'asynchronous', maxStaleness: 2 },
  { type: 'synchronous' },
];

/** Recipes as values, as text in a file, and with settings of a command line; an accepted one can be put to work. */
export function createTarget() {
  const texts = recipes.map((recipe) => Buffer.from(JSON.stringify(recipe)));
  const strategy = fc.oneof(fc.constant(undefined), valuesFrom(strategies));
  const overrides = fc.record({
    epochs: number,
    steps: number,
    batchSize: number,
    shards: number,
    seed: number,
    strategy,
  });
  return {
    inputs: fc.oneof(
      { weight: 6, arbitrary: fc.record({ recipe: valuesFrom(recipes) }) },
      { weight: 2, arbitrary: fc.record({ recipe: fc.constantFrom(...recipes), overrides }) },
      { weight: 1, arbitrary: fc.record({ text: bytesFrom(texts) }) },
      { weight: 1, arbitrary: fc.record({ text: valuesFrom(recipes).map(jsonOf) }) },
    ),
    codes: ['RECIPE_INVALID'],
    async run({ recipe, overrides, text }) {
      if (text !== undefined) {
        await writeFile('recipe.json', text);
        return putToWork((await loadRecipe('./recipe.json')).recipe);
      }
      const valid = overrides === undefined ? validateRecipe(recipe) : withOverrides(recipe, overrides);
      return putToWork(valid);
    },
  };
}

/** What a coordinator derives before it listens. */
async function putToWork(recipe) {
  messageLimits({ parameters: parameterLayout(recipe.model).size });
  countSteps(recipe, 60_000);
  await recipeHash(recipe);
}
