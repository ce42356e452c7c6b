import type { Recipe } from '@gradwire/recipes';

/** A setting in which two recipes differ; `undefined` where one does not have it. */
export interface RecipeDifference {
  /** For example `optimizer.type` or `model.layers.0.units`. */
  readonly setting: string;
  readonly first: unknown;
  readonly second: unknown;
}

/** Every setting in which two recipes differ, in the order of the first; what only describes them is left out. */
export function compareRecipes(first: Recipe, second: Recipe): RecipeDifference[] {
  const [one, other] = [flatten(first), flatten(second)];
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((setting) => setting !== 'description' && one.get(setting) !== other.get(setting))
    .map((setting) => ({ setting, first: one.get(setting), second: other.get(setting) }));
}

/** The values of a plain object by path. */
function flatten(value: unknown, path = ''): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) return new Map([[path, value]]);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return new Map(
    members.flatMap(([key, member]) => [...flatten(member, path === '' ? key : `${path}.${key}`)]),
  );
}
