import {
  addL2Gradient,
  averageGradient,
  clipByGlobalNorm,
  createOptimizer,
  learningRateAt,
  type SchedulePosition,
} from '@gradwire/engine';
import type { Recipe } from '@gradwire/recipes';
import type { Batch, GradientSum, Trainer } from '../trainer/trainer.ts';

/** What local training depends on, besides the weights and the samples. */
export interface LocalStepsOptions {
  /** Holds the round's weights; it holds them again afterwards. */
  readonly trainer: Trainer;
  readonly recipe: Pick<Recipe, 'optimizer' | 'schedule' | 'l2' | 'clipNorm'>;
  /** Place of the first local step in the learning-rate schedule. */
  readonly position: SchedulePosition;
}

/**
 * Trains on `batches` in a row, with an optimizer that starts anew, and returns how far that moved the weights: the
 * "gradient" is (weights before - weights after) x samples, so that a sum over shards divided by its samples is the
 * mean pseudo-gradient (Douillard et al. 2023, algorithm 1). Metrics are those of each batch before its update.
 *
 * A pure function of weights, batches and options, bit for bit, within a numerics class.
 */
export function runLocalSteps(
  { trainer, recipe, position }: LocalStepsOptions,
  batches: Iterable<Batch>,
): GradientSum {
  const { layout } = trainer;
  const { l2 = 0, clipNorm = Number.POSITIVE_INFINITY } = recipe;
  const before = trainer.weights();
  const weights = before.slice();
  const optimizer = createOptimizer(recipe.optimizer, layout);
  const total = new Float64Array(2);
  let [samples, step] = [0, position.step];
  for (const batch of batches) {
    const { gradient, metrics } = trainer.gradient(batch);
    averageGradient(gradient, batch.count);
    if (l2 > 0) addL2Gradient(gradient, weights, { l2, layout });
    clipByGlobalNorm(gradient, clipNorm);
    optimizer.step(weights, gradient, learningRateAt(recipe.schedule, { ...position, step }));
    trainer.setWeights(weights);
    for (const [i, metric] of metrics.entries()) total[i]! += metric;
    samples += batch.count;
    step += 1;
  }
  trainer.setWeights(before);
  return { gradient: weights.map((weight, i) => (before[i]! - weight) * samples), metrics: total };
}
