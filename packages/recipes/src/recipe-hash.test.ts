import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { canonicalJson, recipeHash, recipes, withOverrides } from './index.ts';
import type { Recipe } from './recipe.ts';

const recipe = recipes[0] as Recipe;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('the hash is the SHA-256 of the canonical JSON and the source', async () => {
  expect(await recipeHash(recipe)).toBe(sha256(canonicalJson(recipe)));
  expect(await recipeHash(recipe, 'a\n')).toBe(sha256(`${canonicalJson(recipe)}\na\n`));
});

test('the hash survives recipe.json and Windows line ends, and changes with any setting', async () => {
  expect(await recipeHash(JSON.parse(JSON.stringify(recipe, null, 2)))).toBe(await recipeHash(recipe));
  expect(await recipeHash(recipe, 'a\r\nb')).toBe(await recipeHash(recipe, 'a\nb'));
  const hard = { ...recipe, task: { type: 'multiclass', classes: 10 } } as const;
  const hashes = [recipe, withOverrides(recipe, { seed: 2 }), withOverrides(recipe, { shards: 9 }), hard];
  const distinct = new Set(
    await Promise.all([...hashes.map((one) => recipeHash(one)), recipeHash(recipe, '')]),
  );
  expect(distinct.size).toBe(5);
});

test('every built-in recipe has its own hash', async () => {
  const hashes = await Promise.all(recipes.map((one) => recipeHash(one)));
  expect(new Set(hashes).size).toBe(recipes.length);
});
