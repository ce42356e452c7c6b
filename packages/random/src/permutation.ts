import type { RandomKey } from './random-key.ts';
import { checkWord } from './random-key.ts';
import { wordReader } from './random-words.ts';

/**
 * A random order of the numbers 0 to n - 1, each of the n! orders equally likely.
 *
 * Source: Fisher and Yates, in Durstenfeld's form (Algorithm 235, 1964): for i from n - 1 down to 1, entry i
 * changes places with an entry drawn from 0 to i. A draw below m takes words until one lies below the largest
 * multiple of m not above 2^32, and is that word modulo m, so no value is favoured.
 *
 * @param key - The sequence that decides the order; see {@link RandomKey}.
 * @param n - An integer from 0 to 2^32 - 1; else `RangeError`.
 *
 * @example
 * const order = permutation({ seed: 42, stream: 'shuffle', a: epoch, b: shard }, 7500);
 */
export function permutation(key: RandomKey, n: number): Uint32Array {
  const order = new Uint32Array(checkWord('n', n));
  for (let i = 0; i < n; i++) order[i] = i;
  const next = wordReader(key);
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1, next);
    const moved = order[i] as number;
    order[i] = order[j] as number;
    order[j] = moved;
  }
  return order;
}

/** An unbiased number from 0 to `bound` - 1. */
function below(bound: number, next: () => number): number {
  const limit = 0x100000000 - (0x100000000 % bound);
  let word = next();
  while (word >= limit) word = next();
  return word % bound;
}
