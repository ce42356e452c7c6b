import { expect, test } from 'vitest';
import { createLeaseTable } from './lease-table.ts';
import { createResponseMeter } from './response-meter.ts';
import { createLeafSharing, divideLeaves } from './share-leaves.ts';
import { createSpeedMeter, typicalSpeed } from './speed.ts';
import type { WorkerId } from '../events.ts';
import type { Candidate } from './share-leaves.ts';

const [a, b, c] = ['a', 'b', 'c'] as WorkerId[] as [WorkerId, WorkerId, WorkerId];

function candidates(speeds: Record<string, number>, loads: Record<string, number> = {}): Candidate[] {
  return Object.entries(speeds).map(([worker, speed]) => ({
    worker: worker as WorkerId,
    speed,
    load: loads[worker] ?? 0,
  }));
}

function counts(leafCount: number, workers: Candidate[]): number[] {
  return [...divideLeaves(leafCount, workers).values()];
}

test('leaves are divided by speed, and equal workers differ by at most one', () => {
  expect(counts(8, candidates({ a: 1, b: 1 }))).toEqual([4, 4]);
  expect(counts(8, candidates({ a: 1, b: 1, c: 1 }))).toEqual([3, 3, 2]);
  expect(counts(8, candidates({ a: 3, b: 1 }))).toEqual([6, 2]);
  expect(counts(8, candidates({ a: 1, b: 0.01 }))).toEqual([8, 0]);
  expect(counts(2, candidates({ a: 1, b: 2, c: 2 }))).toEqual([0, 1, 1]);
  expect(counts(3, candidates({ a: 1, b: 1 }, { a: 3 }))).toEqual([0, 3]);
});

test('each worker gets one contiguous run', () => {
  const shares = createLeafSharing().share([0, 2, 3, 5, 7], candidates({ a: 1, b: 1 }));
  expect([...shares]).toEqual([
    [a, [0, 2, 3]],
    [b, [5, 7]],
  ]);
});

test('a division stays until another one is clearly faster', () => {
  const sharing = createLeafSharing();
  const leaves = Array.from({ length: 20 }, (_, leaf) => leaf);
  const sizes = (workers: Candidate[]): number[] =>
    [...sharing.share(leaves, workers).values()].map((l) => l.length);
  expect(sizes(candidates({ a: 1, b: 1 }))).toEqual([10, 10]);
  expect(sizes(candidates({ a: 1.05, b: 0.95 }))).toEqual([10, 10]);
  expect(sizes(candidates({ a: 1.5, b: 0.5 }))).toEqual([15, 5]);
  expect(sizes(candidates({ b: 0.5, c: 0.5 }))).toEqual([10, 10]);
});

test('a newcomer that would not end the round sooner stays a spare', () => {
  const sharing = createLeafSharing();
  const four = candidates({ a: 1, b: 1, c: 1, d: 1 });
  sharing.share([0, 1, 2, 3, 4, 5, 6, 7], four);
  const five = sharing.share([0, 1, 2, 3, 4, 5, 6, 7], [...four, ...candidates({ e: 1 })]);
  expect([...five.keys()]).toEqual(['a', 'b', 'c', 'd']);
});

test('a lease goes from unowned to owned to done, and back to unowned if its owner goes', () => {
  const table = createLeaseTable([4, 0, 4, 2], 10);
  expect(table.unowned()).toEqual([0, 2, 3]);
  table.grant([0, 2], a, 11);
  table.grant([3], b, 12);
  expect(table.outstanding()).toMatchObject([
    { leaf: 0, owner: a, sinceMs: 11 },
    { leaf: 2, owner: a, sinceMs: 11 },
    { leaf: 3, owner: b, sinceMs: 12 },
  ]);
  table.finish({ lo: 0, hi: 2 });
  table.release(a, 13);
  expect(table.outstanding()[0]).toMatchObject({ leaf: 2, owner: undefined, sinceMs: 13 });
  expect(() => table.grant([0], b, 14)).toThrow('leaf 0 is done');
  expect(() => table.grant([1], b, 14)).toThrow('leaf 1 is absent');
});

test('a claim is owned, outdated or foreign', () => {
  const table = createLeaseTable([4, 0, 4, 2], 0);
  table.grant([0, 2], a, 0);
  table.grant([3], b, 0);
  expect(table.claim(a, { lo: 0, hi: 2 })).toBe('owned');
  expect(table.samples({ lo: 0, hi: 2 })).toBe(4);
  expect(table.claim(a, { lo: 2, hi: 4 })).toBe('foreign');
  expect(table.claim(a, { lo: 1, hi: 2 })).toBe('foreign');
  table.release(a, 1);
  table.grant([0, 2], c, 1);
  expect(table.claim(a, { lo: 0, hi: 1 })).toBe('outdated');
  table.finish({ lo: 0, hi: 1 });
  expect(table.claim(c, { lo: 0, hi: 1 })).toBe('outdated');
  expect(table.claim(b, { lo: 0, hi: 1 })).toBe('foreign');
});

test('a speed is not taken from the first round, then follows the measurements', () => {
  const meter = createSpeedMeter();
  meter.record(10, 1000);
  meter.endRound(1);
  expect(meter.estimate()).toBeUndefined();
  meter.record(10, 5);
  meter.record(10, 5);
  meter.endRound(1);
  expect(meter.estimate()).toBe(2);
  meter.record(10, 10);
  meter.endRound(1);
  expect(meter.estimate()).toBeCloseTo(1.8, 12);
});

test('a worker that gets no work is given another chance', () => {
  const meter = createSpeedMeter();
  for (let round = 0; round < 2; round++) {
    meter.record(1, 100);
    meter.endRound(1);
  }
  expect(meter.estimate()).toBe(0.01);
  for (let round = 0; round < 300; round++) meter.endRound(1);
  expect(meter.estimate()).toBeGreaterThan(0.9);
});

test('the typical speed is the mean of the known ones, per thread', () => {
  expect(typicalSpeed([{ speed: createSpeedMeter(), threads: 1 }])).toBe(1);
  const workers = [2, 4].map((samples) => {
    const meter = createSpeedMeter();
    for (let round = 0; round < 2; round++) {
      meter.record(samples, 1);
      meter.endRound(1);
    }
    return { speed: meter, threads: samples / 2 };
  });
  expect(typicalSpeed([...workers, { speed: createSpeedMeter(), threads: 1 }])).toBe(2);
});

test('who answers just before each deadline does not get ever more time than others would need', () => {
  const meter = createResponseMeter();
  const patience = (): number => meter.expect(10, () => 20).patienceMs;
  let longest = 0;
  for (let turn = 0; turn < 60; turn++) {
    longest = Math.max(longest, patience());
    meter.record({ samples: 10, computeMs: 1, elapsedMs: patience() - 1 });
  }
  expect(longest).toBe(10 * 20 + 5_000);
});

test('a slow worker that others cannot be compared with has the time that it needs', () => {
  const meter = createResponseMeter();
  for (let turn = 0; turn < 60; turn++) meter.record({ samples: 10, computeMs: 9_000, elapsedMs: 9_000 });
  expect(meter.expect(10, () => meter.usualMs(10)).patienceMs).toBeGreaterThan(3 * 9_000);
});
