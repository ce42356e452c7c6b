import type { FeatureStatistics } from '@gradwire/preprocess';
import { createFeatureTransform, targets } from '@gradwire/preprocess';
import type { Recipe } from '@gradwire/recipes';
import type { Batch } from './trainer.ts';

/** Raw samples; a `Dataset` fits. */
export interface RawSamples {
  /** Samples one after the other, row-major. */
  readonly features: Uint8Array | Float32Array;
  /** Class index of each sample. */
  readonly labels: Uint8Array;
}

/** Gathers the samples at `indices` (default all, in order) and preprocesses them into a batch. */
export type Batcher = (samples: RawSamples, indices?: Uint32Array) => Batch;

/**
 * Prepares a recipe's preprocessing: raw rows to the network's features and targets.
 *
 * @param statistics - of the training set; needed if the recipe standardises.
 * @param reuse - A batch is then valid until the next one is made: fresh memory takes longer than filling it.
 * @throws TypeError if statistics are needed and missing. The batcher throws RangeError for an index that is out of
 * range, or if features and labels do not fit together.
 */
export function createBatcher(
  recipe: Pick<Recipe, 'features' | 'model' | 'task'>,
  statistics?: FeatureStatistics,
  { reuse = false }: { readonly reuse?: boolean } = {},
): Batcher {
  let features = new Float32Array(0);
  const sampleSize = recipe.model.inputShape.reduce((product, side) => product * side, 1);
  const transform = createFeatureTransform(recipe.features, statistics);
  return (samples, indices) => {
    if (samples.features.length !== samples.labels.length * sampleSize) {
      throw new RangeError(
        `features: expected ${samples.labels.length} samples of ${sampleSize} values, found ${samples.features.length}`,
      );
    }
    const { features: raw, labels } = indices ? gather(samples, indices, sampleSize) : samples;
    if (!reuse || features.length !== raw.length) features = new Float32Array(raw.length);
    transform(raw, features);
    return { features, targets: targets(labels, recipe.task), labels, count: labels.length };
  };
}

function gather({ features, labels }: RawSamples, indices: Uint32Array, sampleSize: number): RawSamples {
  const size = indices.length * sampleSize;
  const rows = features instanceof Uint8Array ? new Uint8Array(size) : new Float32Array(size);
  for (const [row, index] of indices.entries()) {
    if (index >= labels.length) {
      throw new RangeError(`indices[${row}]: expected an index below ${labels.length}, found ${index}`);
    }
    rows.set(features.subarray(index * sampleSize, (index + 1) * sampleSize), row * sampleSize);
  }
  return { features: rows, labels: Uint8Array.from(indices, (index) => labels[index] as number) };
}
