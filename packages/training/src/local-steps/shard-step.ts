import { microBatchSize } from '@gradwire/data';
import type { Recipe } from '@gradwire/recipes';
import { countSteps, localStrategy } from '@gradwire/recipes/samples';
import type { Batcher, RawSamples } from '../trainer/batcher.ts';
import type { GradientSum, Trainer } from '../trainer/trainer.ts';
import { type LocalBatch, runLocalSteps } from './local-steps.ts';

/** One shard's part of one step. */
export interface ShardPlace {
  readonly epoch: number;
  /** Within the epoch, from 0. */
  readonly step: number;
  readonly shard: number;
  /** Gets the gradient. */
  readonly into: Float32Array;
  /** Samples of each of several neighbouring shards, of which this is the first; see `Batch`. Not with local steps. */
  readonly parts?: readonly number[];
}

/** What a shard contributes to a step, with the trainer's weights. */
export type ShardStep = (place: ShardPlace, samples: RawSamples, indices: Uint32Array) => GradientSum;

/** What a shard step is made from. */
export interface ShardStepOptions {
  readonly recipe: Recipe;
  readonly trainer: Trainer;
  readonly batcher: Batcher;
  /** Samples that are trained on, without those held out. */
  readonly trainingCount: number;
}

/**
 * Prepares a recipe's strategy for a worker: `indices` are the samples that the shard gives to the step, in order.
 * Synchronous and asynchronous strategies take the gradient of all at once; local ones train on them bit by bit.
 */
export function createShardStep({ recipe, trainer, batcher, trainingCount }: ShardStepOptions): ShardStep {
  const local = localStrategy(recipe.strategy);
  const { stepsPerEpoch, local: counts } = countSteps(recipe, trainingCount);
  if (!local) {
    return ({ epoch, step, shard, into, parts }, samples, indices) => {
      const position = { step: epoch * stepsPerEpoch + step, shard };
      const batch = batcher(samples, indices);
      return trainer.gradient(parts ? { ...batch, parts } : batch, position, into);
    };
  }
  const { batchSize, shards } = recipe;
  return ({ epoch, step, shard, into }, samples, indices) => {
    const first = step * local.localSteps;
    const last = Math.min(first + local.localSteps, counts.stepsPerEpoch);
    function* batches(): Generator<LocalBatch> {
      let used = 0;
      for (let localStep = 0; first + localStep < last; localStep += 1) {
        const place = { count: trainingCount, shards, batchSize, step: first + localStep, shard };
        const end = used + microBatchSize(place);
        // A shard may have nothing in the last local step of an epoch; in others, where shards outnumber a batch's samples.
        if (end > used) yield { localStep, batch: batcher(samples, indices.subarray(used, end)) };
        used = end;
      }
    }
    const position = { ...counts, step: epoch * counts.stepsPerEpoch + first };
    const { gradient, metrics } = runLocalSteps({ trainer, recipe, shard, position }, batches());
    into.set(gradient);
    return { gradient: into, metrics };
  };
}
