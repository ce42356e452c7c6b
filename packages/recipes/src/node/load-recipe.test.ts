import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findRecipe, recipeHash } from '../index.ts';
import { loadRecipe } from './index.ts';

const recipe = findRecipe('mnist-logistic');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-recipes-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

test('a name loads the built-in recipe', async () => {
  expect(await loadRecipe('mnist-logistic')).toEqual({ recipe, hash: await recipeHash(recipe) });
  await expect(loadRecipe('mnist-logistics')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test('a JSON file loads with the same hash as the recipe written to it', async () => {
  const path = await file('recipe.json', JSON.stringify(recipe, null, 2));
  expect(await loadRecipe(path)).toEqual({ recipe, hash: await recipeHash(recipe) });
});

test('so does what gradwire recipes --json prints', async () => {
  const path = await file('printed.json', JSON.stringify({ recipe }));
  expect(await loadRecipe(path)).toEqual({ recipe, hash: await recipeHash(recipe) });
});

test('a module loads, and its source counts in the hash', async () => {
  const source = `const epochs = 1 + 1;\nexport const recipe = { ...${JSON.stringify(recipe)}, epochs };\n`;
  const loaded = await loadRecipe(await file('mine.mjs', source));
  expect(loaded.recipe).toEqual({ ...recipe, epochs: 2 });
  expect(loaded.moduleSource).toBe(source);
  expect(loaded.hash).toBe(await recipeHash(loaded.recipe, source));
  expect(loaded.hash).not.toBe(await recipeHash(loaded.recipe));
});

test.each([
  [
    'no-export.mjs',
    'export const recpie = {};',
    { code: 'RECIPE_INVALID', message: /expected an export named "recipe", found recpie/ },
  ],
  ['syntax.mjs', 'export const = 1;', { code: 'RECIPE_INVALID', message: /syntax\.mjs cannot be loaded/ }],
  ['torn.json', '{"name": "x', { code: 'RECIPE_INVALID', message: /torn\.json: expected JSON/ }],
  ['incomplete.json', '{}', { code: 'RECIPE_INVALID', message: /incomplete\.json is not valid/ }],
  [
    'mine.py',
    '',
    { code: 'OPTION_INVALID', message: /expected a name ending in \.js, \.mjs, \.json, found "mine\.py"/ },
  ],
])('%s is refused with a clear message', async (name, text, { code, message }) => {
  const path = await file(name, text);
  await expect(loadRecipe(path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('a file that is not there is named', async () => {
  const path = join(folder, 'absent.js');
  await expect(loadRecipe(path)).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
    message: expect.stringContaining(path),
  });
});
