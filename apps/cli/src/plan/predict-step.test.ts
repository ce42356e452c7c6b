import { expect, test } from 'vitest';
import { loopback } from './link.ts';
import { predictStep, type StepShape } from './predict-step.ts';

const costs = {
  gradientMs: 10,
  localStepMs: 12,
  receiveMs: 1,
  sendMs: 2,
  publishMs: 3,
  addMs: 4,
  commitMs: 5,
};
const shape: StepShape = {
  workers: 2,
  threads: 1,
  shards: 8,
  samples: 128,
  bytes: { plain: 1e6, weights: 1e6 },
  link: loopback,
};

test('synchronous: publish, receive, four gradients, send, two partials to add, commit', () => {
  const { stepMs, samplesPerSecond, waitingShare } = predictStep(costs, shape);
  expect(stepMs).toBe(3 + 1 + 4 * 10 + 2 + 2 * 4 + 5);
  expect(samplesPerSecond).toBeCloseTo(128_000 / 59, 9);
  expect(waitingShare).toBeCloseTo(1 - 40 / 59, 9);
});

test('passes of several shards: what a pass costs is paid once for each', () => {
  // A pass costs 4 ms and each shard 6: four take 28 ms, not 40.
  const joined = { ...costs, pass: { leaves: 4, ms: 28 } };
  expect(predictStep(joined, shape).stepMs).toBe(59 - 12);
  // Of five shards two passes; and one shard alone takes what it took.
  expect(predictStep(joined, { ...shape, shards: 10 }).stepMs).toBe(59 - 40 + 2 * 4 + 5 * 6);
  expect(predictStep(joined, { ...shape, workers: 8 })).toEqual(predictStep(costs, { ...shape, workers: 8 }));
  expect(predictStep(joined, { ...shape, localSteps: 32 })).toEqual(
    predictStep(costs, { ...shape, localSteps: 32 }),
  );
});

test('a link adds a round trip, the weights and the gradient', () => {
  const link = { downBitsPerSecond: 80e6, upBitsPerSecond: 40e6, roundTripMs: 30 };
  // A megabyte takes 100 ms down and 200 ms up.
  expect(predictStep(costs, { ...shape, link }).stepMs).toBe(59 + 30 + 100 + 200);
});

test('three workers: shards 0 to 2 are two tree nodes, and the first is sent while the third shard is computed', () => {
  const link = { ...loopback, upBitsPerSecond: 800e6 };
  const three = { ...shape, workers: 3, link };
  // [0, 2) after 1 + 20 + 2 takes 10 ms to send; [2, 3) is ready after 1 + 30 + 2 and takes 10 more.
  expect(predictStep(costs, three).stepMs).toBe(3 + (1 + 30 + 2 + 10) + 3 * 4 + 5);
  const slow = { ...three, link: { ...loopback, upBitsPerSecond: 80e6 } };
  // Here the second node waits for the first: 23 + 100 + 100.
  expect(predictStep(costs, slow).stepMs).toBe(3 + 223 + 3 * 4 + 5);
});

test('codecs: half the bytes down, and groups up as soon as they are computed', () => {
  const link = { ...loopback, downBitsPerSecond: 80e6, upBitsPerSecond: 80e6 };
  const coded = { plain: 1e6, weights: 5e5, group: { shards: 4, bytes: 25e4 } };
  expect(predictStep(costs, { ...shape, link, bytes: coded }).stepMs).toBe(59 + 50 + 25);
  // Groups of two: the first is sent while the second is computed.
  const pairs = { ...coded, group: { shards: 2, bytes: 25e4 } };
  expect(predictStep(costs, { ...shape, link, bytes: pairs }).stepMs).toBe(59 + 50 + 25 + 5);
  // Alone of three, a worker with shards 3 to 5 has no whole group of four.
  const parts = predictStep(costs, { ...shape, workers: 3, link, bytes: coded });
  expect(parts.stepMs).toBeGreaterThan(3 + 50 + 100);
  // All shards of a step that is taken alone are two groups of four.
  const alone = predictStep(costs, { ...shape, workers: 1, maxStaleness: 0, link, bytes: coded });
  expect(alone.stepMs).toBe(3 + 1 + 80 + 2 + 4 + 5 + 50 + 2 * 25);
});

test('threads share the leaves of their worker', () => {
  const { stepMs, waitingShare } = predictStep(costs, { ...shape, threads: 3 });
  expect(stepMs).toBe(59 - 20);
  expect(waitingShare).toBeCloseTo(1 - 20 / 39, 9);
});

test('more workers than shards are of no use', () => {
  const full = predictStep(costs, { ...shape, workers: 8 });
  expect(predictStep(costs, { ...shape, workers: 20 })).toEqual(full);
});

test('local steps: a leaf is that many, and the traffic stays the same', () => {
  const { stepMs } = predictStep(costs, { ...shape, localSteps: 32 });
  expect(stepMs).toBe(59 - 40 + 4 * 32 * 12);
});

test('asynchronous: as many cycles at once as may be used, until the coordinator is busy all the time', () => {
  const cycle = 3 + 1 + 80 + 2 + 4 + 5;
  const asynchronous = { ...shape, maxStaleness: 4 };
  expect(predictStep(costs, asynchronous).stepMs).toBe(cycle / 2);
  expect(predictStep(costs, { ...asynchronous, workers: 9 }).stepMs).toBe(cycle / 5);
  expect(predictStep(costs, { ...asynchronous, workers: 99, maxStaleness: 98 }).stepMs).toBe(12);
});
