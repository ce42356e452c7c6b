import { expect, test } from 'vitest';
import { normal } from './index.ts';

const key = { seed: 3, stream: 'noise' } as const;

function mean(values: Float64Array, power: number): number {
  return values.reduce((sum, value) => sum + value ** power, 0) / values.length;
}

test('the first four moments are those of the normal distribution', () => {
  const numbers = normal(key, 100_000);
  expect(Math.abs(mean(numbers, 1))).toBeLessThan(0.015);
  expect(Math.abs(mean(numbers, 2) - 1)).toBeLessThan(0.02);
  expect(Math.abs(mean(numbers, 3))).toBeLessThan(0.04);
  expect(Math.abs(mean(numbers, 4) - 3)).toBeLessThan(0.15);
});

test('an odd count is the beginning of the even one', () => {
  expect(normal(key, 7)).toEqual(normal(key, 8).slice(0, 7));
  expect(normal(key, 0)).toHaveLength(0);
});
