import { canonicalJson } from './canonical-json.ts';
import type { Recipe } from './recipe.ts';

/**
 * What two machines compare to know that they hold the same recipe: SHA-256 of the recipe's canonical JSON and, if it
 * came from a module, a line feed and the module's source. 64 lower-case hexadecimal digits.
 *
 * Line ends of the source count as `\n`, so that a checkout on Windows matches. Uses WebCrypto: Node and browsers
 * (a page must be served over HTTPS or from localhost).
 *
 * @example
 * const hash = await recipeHash(findRecipe('mnist-cnn'));
 */
export async function recipeHash(recipe: Recipe, moduleSource?: string): Promise<string> {
  // Canonical JSON holds no raw line feed, so the text is unambiguous.
  const source = moduleSource === undefined ? '' : `\n${moduleSource.replaceAll('\r\n', '\n')}`;
  const bytes = new TextEncoder().encode(canonicalJson(recipe) + source);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
