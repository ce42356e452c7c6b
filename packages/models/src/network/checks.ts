import { GradwireError } from '@gradwire/errors';

/** Throws `RECIPE_INVALID` naming the setting, what was expected and what was found. */
export function invalid(path: string, expected: string, found: unknown): never {
  throw new GradwireError('RECIPE_INVALID', `${path}: expected ${expected}, found ${String(found)}`, {
    hint: `Correct ${path} in the recipe.`,
  });
}

/** Throws `RECIPE_INVALID` unless `value` is an integer of at least 1. */
export function positiveInteger(value: unknown, path: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < 1) invalid(path, 'a positive integer', value);
}

/** Throws `RECIPE_INVALID` unless `value` is a number from 0 to below 1. */
export function share(value: number, path: string): void {
  if (!(value >= 0 && value < 1)) invalid(path, 'a number from 0 to below 1', value);
}
