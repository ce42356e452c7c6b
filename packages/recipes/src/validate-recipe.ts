import { GradwireError } from '@gradwire/errors';
import * as v from 'valibot';
import { crossChecks } from './cross-checks.ts';
import type { Recipe } from './recipe.ts';
import { recipeSchema } from './recipe-schema.ts';

/**
 * Checks that a value is a complete recipe whose settings fit one another, and returns a copy of it as plain data.
 *
 * Unknown settings are refused. Throws `GradwireError` RECIPE_INVALID; its message has a line for each fault with
 * path, expected and found, and for a mistyped setting the one that was probably meant. `origin` (for example the
 * file's name) opens the message.
 *
 * @example
 * const recipe = validateRecipe(JSON.parse(text), 'recipe.json');
 */
export function validateRecipe(value: unknown, origin = 'The recipe'): Recipe {
  const result = v.safeParse(recipeSchema, value);
  if (!result.success) throw invalid(origin, result.issues.map(toLine));
  const misfits = crossChecks(result.output);
  if (misfits.length > 0) throw invalid(origin, misfits);
  return result.output;
}

function toLine(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map(({ key, type }) => (type === 'array' ? `[${key}]` : `.${String(key)}`));
  return `${path.join('').replace(/^\./, '') || 'recipe'}: ${issue.message}`;
}

function invalid(origin: string, lines: readonly string[]): GradwireError {
  const message = `${origin} is not valid:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  return new GradwireError('RECIPE_INVALID', message, {
    hint: 'Correct the settings named above; `gradwire recipes` lists recipes that work.',
  });
}
