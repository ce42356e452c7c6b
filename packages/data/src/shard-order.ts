import { permutation } from '@gradwire/random';
import { checkInteger } from './check-integer.ts';
import type { MicroBatchPlace } from './shards.ts';
import { microBatchSlice, shardRange } from './shards.ts';

/** What decides the order of the samples of every epoch. */
export interface ShardOrderOptions {
  /** Samples in the training set, at most 2^32 - 1. */
  readonly count: number;
  /** Virtual shards, at least 1. */
  readonly shards: number;
  /** An integer from 0 to 2^32 - 1. */
  readonly seed: number;
}

/** Names one micro-batch of a run. */
export interface MicroBatchOptions extends Pick<MicroBatchPlace, 'batchSize' | 'step' | 'shard'> {
  /** An integer from 0 to 2^32 - 1. */
  readonly epoch: number;
}

/** Gives micro-batches, and remembers for each shard the order of the epoch asked for last. */
export interface ShardOrder {
  /** The sample positions of one micro-batch, each in [0, count); a new array. `RangeError` for a bad argument. */
  microBatch(options: MicroBatchOptions): Uint32Array;
}

/**
 * Says which samples each shard contributes to each step, as a pure function of its arguments: every sample once an
 * epoch, in an order that depends on seed, epoch and shard, never on who computes. See {@link microBatch}.
 *
 * @example
 * const order = createShardOrder({ count: 60_000, shards: 8, seed: 42 });
 * order.microBatch({ batchSize: 128, epoch: 0, step: 0, shard: 3 }); // 16 positions
 */
export function createShardOrder({ count, shards, seed }: ShardOrderOptions): ShardOrder {
  // One entry a shard: a run walks through the epochs, so an order is not needed again once its epoch is over.
  const orders = new Map<number, { epoch: number; positions: Uint32Array }>();
  return {
    microBatch({ batchSize, epoch, step, shard }) {
      checkInteger('epoch', epoch, [0, 0xffffffff]);
      const { first, end } = microBatchSlice({ count, shards, batchSize, step, shard });
      let order = orders.get(shard);
      if (order?.epoch !== epoch) {
        order = { epoch, positions: epochOrder({ count, shards, seed }, epoch, shard) };
        orders.set(shard, order);
      }
      return order.positions.slice(first, end);
    },
  };
}

/**
 * The sample positions of one micro-batch, each in [0, count). Step `step` takes the epoch positions p from
 * `step * batchSize` on; position p is entry `floor(p / shards)` of the order of shard `p % shards`; that order is
 * `permutation({ seed, stream: 'shuffle', a: epoch, b: shard }, size)` over the shard's range (`shardRange`).
 *
 * Computes the order anew each time: for more than one micro-batch use {@link createShardOrder}.
 *
 * @throws RangeError for an argument out of range.
 */
export function microBatch(options: ShardOrderOptions & MicroBatchOptions): Uint32Array {
  return createShardOrder(options).microBatch(options);
}

function epochOrder({ count, shards, seed }: ShardOrderOptions, epoch: number, shard: number): Uint32Array {
  const { start, end } = shardRange(count, shards, shard);
  const order = permutation({ seed, stream: 'shuffle', a: epoch, b: shard }, end - start);
  return order.map((position) => start + position);
}
