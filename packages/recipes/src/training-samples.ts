import { createShardOrder, trainingIndices } from '@gradwire/data';
import { countSteps } from './count-steps.ts';
import type { Recipe } from './recipe.ts';

/** Which samples of a data set a recipe trains on, and when. */
export interface TrainingSamples {
  /** Positions in the training split, ascending: those that are trained on. */
  readonly training: Uint32Array;
  /** Those held out. */
  readonly validation: Uint32Array;
  /** Positions of what one step takes from one shard; `epoch` and `step`, within it, from 0. */
  microBatch(place: { readonly epoch: number; readonly step: number; readonly shard: number }): Uint32Array;
}

/**
 * Divides a training split of `count` samples as a recipe says.
 *
 * @throws RangeError for a place that the recipe has not.
 */
export function trainingSamples(recipe: Recipe, count: number): TrainingSamples {
  const { seed, shards, validationShare = 0 } = recipe;
  const { training, validation } = trainingIndices(count, { validationShare, seed });
  const { batchSize } = countSteps(recipe, training.length);
  const order = createShardOrder({ count: training.length, shards, seed });
  return {
    training,
    validation,
    microBatch: (place) =>
      order.microBatch({ ...place, batchSize }).map((position) => training[position] ?? 0),
  };
}
