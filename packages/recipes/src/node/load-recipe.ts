import { readFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GradwireError, toError } from '@gradwire/errors';
import type { Recipe } from '../recipe.ts';
import { recipeHash } from '../recipe-hash.ts';
import { findRecipe } from '../registry.ts';
import { validateRecipe } from '../validate-recipe.ts';

/** A recipe and what the other side compares it by. */
export interface LoadedRecipe {
  readonly recipe: Recipe;
  /** {@link recipeHash} of the two other fields. */
  readonly hash: string;
  /** The text of the module that the recipe came from; absent for a built-in recipe and for JSON. */
  readonly moduleSource?: string;
}

const moduleEndings = ['.js', '.mjs'];
const fileEndings = [...moduleEndings, '.json'];

/**
 * Loads a built-in recipe by name, or one of your own from a file: a `.json` file (the recipe, or `{"recipe": …}`), or a
 * `.js`/`.mjs` module with `export const recipe = {…}`. Anything with a slash or one of these endings is a file.
 *
 * **A module is run**: load only what you trust. Its source counts in the hash, the modules that it imports do not.
 *
 * Throws `GradwireError`: OPTION_INVALID (no such name, other ending), DATA_NOT_FOUND (no such file), RECIPE_INVALID.
 *
 * @example
 * const { recipe, hash } = await loadRecipe('./mine.js');
 */
export async function loadRecipe(nameOrFile: string): Promise<LoadedRecipe> {
  const ending = extname(nameOrFile).toLowerCase();
  if (!/[/\\]/.test(nameOrFile) && !fileEndings.includes(ending)) {
    const recipe = findRecipe(nameOrFile);
    return { recipe, hash: await recipeHash(recipe) };
  }
  if (!fileEndings.includes(ending)) {
    throw new GradwireError(
      'OPTION_INVALID',
      `Recipe file ${nameOrFile}: expected a name ending in ${fileEndings.join(', ')}, found "${basename(nameOrFile)}"`,
    );
  }
  const text = await readText(nameOrFile);
  if (ending === '.json') {
    const recipe = validateRecipe(unwrap(parseJson(text, nameOrFile)), nameOrFile);
    return { recipe, hash: await recipeHash(recipe) };
  }
  const recipe = validateRecipe(await importRecipe(nameOrFile), nameOrFile);
  return { recipe, hash: await recipeHash(recipe, text), moduleSource: text };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new GradwireError('DATA_NOT_FOUND', `Recipe file ${path}: ${toError(cause).message}`, {
      cause,
      hint: 'Give the path from the current folder, for example ./mine.js.',
    });
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GradwireError('RECIPE_INVALID', `${path}: expected JSON, found ${toError(cause).message}`, {
      cause,
    });
  }
}

/** `gradwire recipes NAME --json` gives the recipe a name, as a module does. */
function unwrap(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'recipe' in value ? value.recipe : value;
}

async function importRecipe(path: string): Promise<unknown> {
  let loaded: Record<string, unknown>;
  try {
    loaded = await import(/* @vite-ignore */ pathToFileURL(resolve(path)).href);
  } catch (cause) {
    throw new GradwireError('RECIPE_INVALID', `${path} cannot be loaded: ${toError(cause).message}`, {
      cause,
      hint: 'The file must be an ES module; the ending .mjs makes sure that it is read as one.',
    });
  }
  if (!('recipe' in loaded)) {
    const found = Object.keys(loaded).join(', ') || 'no exports';
    throw new GradwireError('RECIPE_INVALID', `${path}: expected an export named "recipe", found ${found}`, {
      hint: 'Write `export const recipe = { … };`.',
    });
  }
  return loaded['recipe'];
}
