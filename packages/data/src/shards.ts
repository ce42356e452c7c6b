import { checkInteger } from './check-integer.ts';

/** A range of sample positions: `start` included, `end` excluded. */
export interface ShardRange {
  readonly start: number;
  readonly end: number;
}

/** What decides how many samples a micro-batch has. */
export interface MicroBatchPlace {
  /** Samples in the training set. */
  readonly count: number;
  /** Virtual shards, at least 1. */
  readonly shards: number;
  /** Samples a step takes from all shards together, at least 1. */
  readonly batchSize: number;
  /** The step inside its epoch, from 0. */
  readonly step: number;
  readonly shard: number;
}

/**
 * The contiguous positions of one of `shards` virtual shards. Sizes differ by at most one: the first
 * `count % shards` shards have one more.
 *
 * @throws RangeError for an argument out of range.
 */
export function shardRange(count: number, shards: number, shard: number): ShardRange {
  checkShard({ count, shards, shard });
  const size = Math.floor(count / shards);
  const larger = count % shards;
  const start = shard * size + Math.min(shard, larger);
  return { start, end: start + size + (shard < larger ? 1 : 0) };
}

/** How many steps an epoch has; the last one may be smaller. `RangeError` for an argument out of range. */
export function stepsPerEpoch(count: number, batchSize: number): number {
  checkInteger('count', count, [0]);
  checkInteger('batchSize', batchSize, [1]);
  return Math.ceil(count / batchSize);
}

/** How many samples a shard contributes to a step; 0 where there are fewer samples than shards in it. */
export function microBatchSize(place: MicroBatchPlace): number {
  const { first, end } = microBatchSlice(place);
  return end - first;
}

/**
 * The part of a shard's order that a step takes: entries `first` to `end` (excluded).
 *
 * A step takes epoch positions p from `step * batchSize` on. Position p belongs to shard `p % shards`, where it is
 * entry `floor(p / shards)`. So every step but the last has exactly `batchSize` samples, spread evenly over the
 * shards, and since shard s has as many samples as there are p with `p % shards = s`, each occurs once an epoch.
 */
export function microBatchSlice(place: MicroBatchPlace): { first: number; end: number } {
  const { count, shards, batchSize, step, shard } = place;
  checkShard(place);
  checkInteger('step', step, [0, stepsPerEpoch(count, batchSize) - 1]);
  const stepStart = step * batchSize;
  const stepEnd = Math.min(stepStart + batchSize, count);
  // The number of positions below `limit` that belong to this shard.
  const entriesBelow = (limit: number): number => Math.max(0, Math.ceil((limit - shard) / shards));
  return { first: entriesBelow(stepStart), end: entriesBelow(stepEnd) };
}

function checkShard({ count, shards, shard }: Pick<MicroBatchPlace, 'count' | 'shards' | 'shard'>): void {
  checkInteger('count', count, [0]);
  checkInteger('shards', shards, [1]);
  checkInteger('shard', shard, [0, shards - 1]);
}
