import type { ParameterLayout, SchedulePosition } from '@gradwire/engine';
import {
  averageGradient,
  createOptimizer,
  learningRateAt,
  statisticParameters,
} from '@gradwire/engine/arithmetic';
import type { Recipe } from '@gradwire/recipes';
import type { Batch, GradientSum, Trainer } from '../trainer/trainer.ts';

/** What local training depends on, besides the weights and the samples. */
export interface LocalStepsOptions {
  /** Holds the round's weights; it holds them again afterwards. */
  readonly trainer: Trainer;
  readonly recipe: Pick<Recipe, 'optimizer' | 'schedule' | 'l2' | 'clipNorm'>;
  /** Whose batches they are; with the step it keys dropout. */
  readonly shard: number;
  /** Place of the first local step in the learning-rate schedule. */
  readonly position: SchedulePosition;
}

/** What a shard gives to one local step. */
export interface LocalBatch {
  /** From 0, the lease's first one, ascending. Steps in which the shard has no samples are left out. */
  readonly localStep: number;
  readonly batch: Batch;
}

/**
 * Trains on `batches` in a row, with an optimizer that starts anew, and returns how far that moved the weights: the
 * "gradient" is (weights before - weights after) x samples, so that a sum over shards divided by its samples is the
 * mean pseudo-gradient (Douillard et al. 2023, algorithm 1). Metrics are those of each batch before its update.
 *
 * A pure function of weights, batches and options, bit for bit, within a numerics class.
 */
export function runLocalSteps(
  { trainer, recipe, shard, position }: LocalStepsOptions,
  batches: Iterable<LocalBatch>,
): GradientSum {
  const { layout } = trainer;
  const before = trainer.weights();
  const weights = before.slice();
  const optimizer = createOptimizer(recipe.optimizer, layout);
  const { l2, clipNorm } = recipe;
  const average = { ...(l2 === undefined ? {} : { l2 }), ...(clipNorm === undefined ? {} : { clipNorm }) };
  const statistics = createStatisticSums(layout);
  const total = new Float64Array(2);
  let samples = 0;
  for (const { localStep, batch } of batches) {
    const step = position.step + localStep;
    const { gradient, metrics } = trainer.gradient(batch, { step, shard });
    statistics.take(gradient);
    averageGradient(gradient, weights, { ...average, samples: batch.count, layout });
    optimizer.step({ weights, gradient }, learningRateAt(recipe.schedule, { ...position, step }));
    trainer.setWeights(weights);
    for (const [i, metric] of metrics.entries()) total[i]! += metric;
    samples += batch.count;
  }
  trainer.setWeights(before);
  const gradient = weights.map((weight, i) => (before[i]! - weight) * samples);
  statistics.put(gradient);
  return { gradient, metrics: total };
}

/** Sums over the batches of what normalisation saw: the coordinator moves the averages, as in any other step. */
function createStatisticSums(layout: ParameterLayout): {
  take(gradient: Float32Array): void;
  put(gradient: Float32Array): void;
} {
  const parts = statisticParameters(layout).map(({ offset, size }) => ({
    offset,
    end: offset + size,
    sums: new Float32Array(size),
  }));
  return {
    take(gradient) {
      for (const { offset, end, sums } of parts) {
        for (const [i, sum] of sums.entries()) sums[i] = sum + gradient[offset + i]!;
        gradient.fill(0, offset, end);
      }
    },
    put(gradient) {
      for (const { offset, sums } of parts) gradient.set(sums, offset);
    },
  };
}
