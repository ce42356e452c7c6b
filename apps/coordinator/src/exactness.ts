import type { Recipe } from '@gradwire/recipes';

/**
 * True if the weights are the same with any number of workers, else why not.
 *
 * @param classes Numerics classes of the workers, each once.
 */
export function exactness({ strategy }: Pick<Recipe, 'strategy'>, classes: readonly string[]): true | string {
  if (strategy?.type === 'asynchronous')
    return 'asynchronous: each gradient was applied when it arrived, and the order differs from run to run';
  return classes.length <= 1 || `workers of ${classes.length} numerics classes: ${classes.join(', ')}`;
}
