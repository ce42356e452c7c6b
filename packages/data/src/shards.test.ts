import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createShardOrder, microBatch, microBatchSize, shardRange, stepsPerEpoch } from './index.ts';

interface Plan {
  count: number;
  batchSize: number;
  shards: number;
  seed: number;
  epoch: number;
}

// Small numbers, so that B < S, S > count and everything that does not divide occur often.
const plans: fc.Arbitrary<Plan> = fc.record({
  count: fc.integer({ min: 1, max: 200 }),
  batchSize: fc.integer({ min: 1, max: 60 }),
  shards: fc.integer({ min: 1, max: 40 }),
  seed: fc.integer({ min: 0, max: 0xffffffff }),
  epoch: fc.integer({ min: 0, max: 1000 }),
});

const settings = { seed: 3, numRuns: 1000 };

function* range(end: number): Generator<number> {
  for (let i = 0; i < end; i++) yield i;
}

/** All micro-batches of an epoch, step by step. */
function epochOf({ count, batchSize, shards, seed, epoch }: Plan): Uint32Array[][] {
  const order = createShardOrder({ count, shards, seed });
  return Array.from(range(stepsPerEpoch(count, batchSize)), (step) =>
    Array.from(range(shards), (shard) => order.microBatch({ batchSize, epoch, step, shard })),
  );
}

test('shards cover everything once, in order, and differ by at most one', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 200 }), (count, shards) => {
      const ranges = Array.from(range(shards), (shard) => shardRange(count, shards, shard));
      const sizes = ranges.map(({ start, end }) => end - start);
      expect(ranges[0]?.start).toBe(0);
      expect(ranges.at(-1)?.end).toBe(count);
      for (const [i, { end }] of ranges.slice(0, -1).entries()) expect(ranges[i + 1]?.start).toBe(end);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(sizes.filter((size) => size > Math.floor(count / shards))).toHaveLength(count % shards);
    }),
    settings,
  );
});

test('every sample occurs exactly once an epoch, each step has its size', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const steps = epochOf(plan);
      const positions = steps.flat().flatMap((batch) => [...batch]);
      expect(positions.sort((a, b) => a - b)).toEqual([...range(plan.count)]);
      const sizes = steps.map((batches) => batches.reduce((sum, batch) => sum + batch.length, 0));
      for (const size of sizes.slice(0, -1)) expect(size).toBe(plan.batchSize);
      expect(sizes.at(-1)).toBe(plan.count - plan.batchSize * (steps.length - 1));
    }),
    settings,
  );
});

test('a shard gives only its own samples, as many as announced, and an even part of the step', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      for (const [step, batches] of epochOf(plan).entries()) {
        const sizes = batches.map((batch) => batch.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        for (const [shard, batch] of batches.entries()) {
          const { start, end } = shardRange(plan.count, plan.shards, shard);
          expect(batch.every((position) => position >= start && position < end)).toBe(true);
          expect(microBatchSize({ ...plan, step, shard })).toBe(batch.length);
        }
      }
    }),
    { ...settings, numRuns: 200 },
  );
});

test('60,000 samples in 7 shards and steps of 130: each once', () => {
  const plan = { count: 60_000, batchSize: 130, shards: 7, seed: 42, epoch: 3 };
  const positions = epochOf(plan)
    .flat()
    .flatMap((batch) => [...batch]);
  expect(Uint32Array.from(positions).sort()).toEqual(Uint32Array.from(range(60_000)));
});

test('the order depends on seed and epoch', () => {
  const plan = { count: 100, batchSize: 10, shards: 4, seed: 1, epoch: 0 };
  const orders = [plan, { ...plan, epoch: 1 }, { ...plan, seed: 2 }].map((p) => JSON.stringify(epochOf(p)));
  expect(new Set(orders).size).toBe(3);
  expect(JSON.stringify(epochOf(plan))).toBe(orders[0]);
});

test('the remembered order gives what a fresh one gives, whatever was asked before', () => {
  const plan = { count: 103, batchSize: 16, shards: 5, seed: 9 };
  const order = createShardOrder(plan);
  const asked = fc.record({ epoch: fc.nat(3), step: fc.nat(6), shard: fc.nat(4) });
  fc.assert(
    fc.property(asked, (place) => {
      expect(order.microBatch({ ...plan, ...place })).toEqual(microBatch({ ...plan, ...place }));
    }),
    settings,
  );
});

test('a caller may change what it got', () => {
  const order = createShardOrder({ count: 20, shards: 2, seed: 1 });
  const place = { batchSize: 8, epoch: 0, step: 0, shard: 0 };
  const first = order.microBatch(place);
  const copy = first.slice();
  first.fill(0);
  expect(order.microBatch(place)).toEqual(copy);
});

test('the order is fixed for ever', () => {
  // A change here changes every result ever published.
  const batch = microBatch({ count: 20, shards: 3, batchSize: 9, seed: 42, epoch: 1, step: 0, shard: 2 });
  expect([...batch]).toEqual([14, 19, 15]);
});

test.each([
  ['shards', { shards: 0 }],
  ['shard', { shard: 5 }],
  ['shard', { shard: -1 }],
  ['batchSize', { batchSize: 0 }],
  ['step', { step: 4 }],
  ['count', { count: 2.5 }],
  ['seed', { seed: -1 }],
  ['epoch', { epoch: -1 }],
])('a bad %s is named: %j', (name, change) => {
  const place = { count: 20, shards: 5, batchSize: 6, seed: 1, epoch: 0, step: 0, shard: 0, ...change };
  expect(() => microBatch(place)).toThrow(RangeError);
  expect(() => microBatch(place)).toThrow(new RegExp(`^${name} must be .* got`));
});
