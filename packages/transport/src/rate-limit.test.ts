import { expect, test } from 'vitest';
import { createRateLimit, createRateLimits } from './rate-limit.ts';

const count = (limit: () => boolean): number => Array.from({ length: 100 }, limit).filter(Boolean).length;

test('so many at once, then so many a second', () => {
  let nowMs = 0;
  const limit = createRateLimit(10, () => nowMs);
  expect(count(limit.take)).toBe(10);
  nowMs += 500;
  expect(count(limit.take)).toBe(5);
  nowMs += 3_600_000;
  expect(count(limit.take)).toBe(10);
});

test('each key has a limit of its own, and many keys are forgotten', () => {
  let nowMs = 0;
  const take = createRateLimits(10, () => nowMs);
  expect(count(() => take('a'))).toBe(10);
  expect(count(() => take('b'))).toBe(10);
  for (let key = 0; key < 2_000; key += 1) take(`${key}`);
  expect(take('a')).toBe(false);
  nowMs += 1_001;
  expect(count(() => take('a'))).toBe(10);
});
