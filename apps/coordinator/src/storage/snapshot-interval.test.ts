import { expect, test } from 'vitest';
import { createInterval } from './snapshot-interval.ts';

const at = (nowMs: number, more = {}): Parameters<ReturnType<typeof createInterval>['isDue']>[0] => ({
  step: 1,
  nowMs,
  isBest: false,
  isBusy: false,
  ...more,
});

test('the measured cost is at most half a percent of the time between two', () => {
  const interval = createInterval(undefined, 0);
  expect([interval.isDue(at(1_999)), interval.isDue(at(2_000))]).toEqual([false, true]);
  interval.done(2_100, 100);
  expect([interval.isDue(at(22_099)), interval.isDue(at(22_100))]).toEqual([false, true]);
  interval.done(22_101, 1);
  expect([interval.isDue(at(24_100)), interval.isDue(at(24_101))]).toEqual([false, true]);
});

test('weights that did best may come in between; nothing comes while one is written', () => {
  const interval = createInterval(undefined, 0);
  interval.done(0, 100);
  expect(interval.isDue(at(9_999, { isBest: true }))).toBe(false);
  expect(interval.isDue(at(10_000, { isBest: true, isBusy: true }))).toBe(false);
  expect(interval.isDue(at(10_000, { isBest: true }))).toBe(true);
});

test('after a failure it waits a while', () => {
  const interval = createInterval(undefined, 0);
  interval.failed(3_000);
  expect([interval.isDue(at(12_999)), interval.isDue(at(13_000))]).toEqual([false, true]);
});

test('a fixed interval is kept, also while another one is written, and where a boundary has to be waited for', () => {
  const interval = createInterval(10, 0);
  const due = (step: number): boolean => interval.isDue(at(1e6, { step, isBusy: true }));
  expect([5, 9, 10, 11].map(due)).toEqual([false, false, true, true]);
  interval.taken(11);
  expect([11, 19, 20].map(due)).toEqual([false, false, true]);
});
