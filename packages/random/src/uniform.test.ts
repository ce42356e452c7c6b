import { expect, test } from 'vitest';
import { randomWords, uniform } from './index.ts';

const key = { seed: 11, stream: 'weights' } as const;

test('a number is made of the upper 27 and 26 bits of two words', () => {
  const [high = 0, low = 0] = randomWords(key, 2);
  const bits = (BigInt(high >>> 5) << 26n) | BigInt(low >>> 6);
  expect(uniform(key, 1)[0]).toBe(Number(bits) / 2 ** 53);
});

test('numbers fill the interval evenly', () => {
  const numbers = uniform(key, 40_000, { low: -2, high: 6 });
  const quarters = [0, 0, 0, 0];
  for (const number of numbers) {
    const quarter = Math.floor((number + 2) / 2);
    quarters[quarter] = (quarters[quarter] ?? 0) + 1;
  }
  // A quarter's count has a standard deviation of 87.
  for (const count of quarters) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(-2);
  expect(Math.max(...numbers)).toBeLessThan(6);
});

test('a longer sequence begins with the shorter one', () => {
  expect(uniform(key, 10).slice(0, 7)).toEqual(uniform(key, 7));
});

test('refuses an impossible interval', () => {
  expect(() => uniform(key, 1, { low: 1, high: 0 })).toThrow(/got 1 and 0/);
  expect(() => uniform(key, 1, { high: Number.POSITIVE_INFINITY })).toThrow(RangeError);
});
