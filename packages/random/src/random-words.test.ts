import { expect, test } from 'vitest';
import { philox4x32, randomWords, streams } from './index.ts';
import type { RandomKey } from './index.ts';

test('block n is philox of counter (n, a, b, c) and key (seed, stream)', () => {
  const words = randomWords({ seed: 7, stream: 'dropout', a: 5, b: 9, c: 3 }, 10);
  const blocks = [0, 1, 2].flatMap((n) => [...philox4x32([n, 5, 9, 3], [7, streams.dropout])]);
  expect([...words]).toEqual(blocks.slice(0, 10));
});

test('the stream numbers are fixed for ever', () => {
  expect(streams).toEqual({
    shuffle: 1,
    weights: 2,
    validation: 3,
    dropout: 4,
    augmentation: 5,
    probe: 6,
    verification: 7,
    noise: 8,
    simulation: 9,
  });
});

test('each field of the key changes the words', () => {
  const keys: RandomKey[] = [
    { seed: 1, stream: 'noise' },
    { seed: 2, stream: 'noise' },
    { seed: 1, stream: 'probe' },
    { seed: 1, stream: 'noise', a: 1 },
    { seed: 1, stream: 'noise', b: 1 },
    { seed: 1, stream: 'noise', c: 1 },
  ];
  const sequences = keys.map((key) => randomWords(key, 4).join());
  expect(new Set(sequences).size).toBe(keys.length);
});

test.each([
  [{ seed: -1, stream: 'noise' }, /seed must be .* got -1/],
  [{ seed: 2 ** 32, stream: 'noise' }, /seed must be .* got 4294967296/],
  [{ seed: 0.5, stream: 'noise' }, /seed must be .* got 0.5/],
  [{ seed: 1, stream: 'noise', a: Number.NaN }, /a must be .* got NaN/],
  [{ seed: 1, stream: 'noise', c: 2 ** 32 }, /c must be .* got 4294967296/],
  [{ seed: 1, stream: 'noise', b: -3 }, /b must be .* got -3/],
  [{ seed: 1, stream: 'toString' }, /stream must be one of shuffle, .* got toString/],
] as [RandomKey, RegExp][])('refuses the key %j', (key, message) => {
  expect(() => randomWords(key, 1)).toThrow(message);
});

test('refuses a count that is no natural number', () => {
  expect(() => randomWords({ seed: 1, stream: 'noise' }, -1)).toThrow(RangeError);
  expect(() => randomWords({ seed: 1, stream: 'noise' }, 1.5)).toThrow(/count .* got 1.5/);
});
