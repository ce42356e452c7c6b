import { evaluationBlocks, shardRange } from '@gradwire/data';
import type { LeaseMessage } from '@gradwire/protocol';
import type { Recipe } from '@gradwire/recipes';
import { trainingSamples } from '@gradwire/recipes/samples';

/** Samples of each split. */
export interface SplitCounts {
  readonly train: number;
  readonly test: number;
}

/** Says which samples a lease is about. */
export interface LeaseSamples {
  /** Samples that are trained on, without those held out. */
  readonly trainingCount: number;
  /** Leaves of the largest round. */
  readonly mostLeaves: number;
  /** Positions in the lease's data set. */
  ofLeaf(lease: LeaseMessage, leaf: number): Uint32Array;
  /** Every sample of whole training shards, for fetching ahead. */
  ofShards(shards: readonly number[]): Uint32Array;
}

/** Prepares what is the same for all leases of a run. */
export function createLeaseSamples(recipe: Recipe, counts: SplitCounts): LeaseSamples {
  const { shards } = recipe;
  const { training, validation, microBatch } = trainingSamples(recipe, counts.train);
  const everyTest = Uint32Array.from({ length: counts.test }, (_, sample) => sample);
  const blocks = { validation: cutBlocks(validation), test: cutBlocks(everyTest) };

  return {
    trainingCount: training.length,
    mostLeaves: Math.max(shards, blocks.validation.length, blocks.test.length),
    ofLeaf({ task, epoch, step, split = 'test' }, leaf) {
      if (task === 'evaluate') return blocks[split][leaf] ?? new Uint32Array(0);
      return microBatch({ epoch, step, shard: leaf });
    },
    ofShards: (wanted) => concat(wanted.map((shard) => shardSamples(shard))),
  };

  function shardSamples(shard: number): Uint32Array {
    const { start, end } = shardRange(training.length, shards, shard);
    return training.subarray(start, end);
  }
}

function cutBlocks(samples: Uint32Array): Uint32Array[] {
  let start = 0;
  return evaluationBlocks(samples.length).map((size) => samples.subarray(start, (start += size)));
}

/** All of them, one after the other. */
export function concat(parts: readonly Uint32Array[]): Uint32Array {
  const whole = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}
