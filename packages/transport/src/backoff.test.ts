import { expect, test } from 'vitest';
import { backoff } from './index.ts';

test('delays double up to the maximum, with at most half taken off', () => {
  const delays = backoff({ initialMs: 100, maxMs: 1_000, seed: 1 });
  for (const bound of [100, 200, 400, 800, 1_000, 1_000, 1_000]) {
    const delay = delays.next();
    expect(delay).toBeGreaterThanOrEqual(bound / 2);
    expect(delay).toBeLessThanOrEqual(bound);
  }
  delays.reset();
  expect(delays.next()).toBeLessThanOrEqual(100);
});

function list(seed: number): number[] {
  const delays = backoff({ seed });
  return Array.from({ length: 10 }, () => delays.next());
}

test('the seed decides', () => {
  expect(list(7)).toEqual(list(7));
  expect(list(7)).not.toEqual(list(8));
  expect(new Set(Array.from({ length: 100 }, (_, seed) => list(seed)[9])).size).toBeGreaterThan(90);
});

test.each([
  { initialMs: 0, maxMs: 10 },
  { initialMs: 20, maxMs: 10 },
  { initialMs: Number.NaN, maxMs: 10 },
])('%o is refused', (options) => {
  expect(() => backoff({ ...options, seed: 0 })).toThrow(RangeError);
});
