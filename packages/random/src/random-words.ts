import { philoxInPlace } from './philox.ts';
import { checkWord, keyWords } from './random-key.ts';
import type { RandomKey } from './random-key.ts';

/**
 * The first `count` random words of a key. A longer sequence begins with the shorter one.
 *
 * @param key - The sequence. Throws `RangeError` or `TypeError` for a field out of range.
 * @param count - The number of words, an integer from 0 to 2^32 - 1; else `RangeError`.
 * @returns Unsigned 32-bit words, uniformly distributed.
 *
 * @example
 * const words = randomWords({ seed: 42, stream: 'noise', a: 3 }, 8);
 */
export function randomWords(key: RandomKey, count: number): Uint32Array {
  const words = new Uint32Array(checkWord('count', count));
  const next = wordReader(key);
  for (let i = 0; i < words.length; i++) words[i] = next();
  return words;
}

/** Returns a function that gives the words of a key one after the other. It lives inside one call, never longer. */
export function wordReader(key: RandomKey): () => number {
  const { seed, stream, a, b, c } = keyWords(key);
  const words = new Uint32Array(4);
  let block = 0;
  let position = words.length;
  return () => {
    if (position === words.length) {
      words[0] = block++;
      words[1] = a;
      words[2] = b;
      words[3] = c;
      philoxInPlace(words, seed, stream);
      position = 0;
    }
    return words[position++] as number;
  };
}
