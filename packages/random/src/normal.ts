import { cos, log, sin } from './elementary.ts';
import type { RandomKey } from './random-key.ts';
import { checkWord } from './random-key.ts';
import { uniform } from './uniform.ts';

const twoPi = 6.283185307179586;

/**
 * Normally distributed random numbers with mean 0 and variance 1, equal in every bit on every machine.
 * A longer sequence begins with the shorter one.
 *
 * Source: Box and Muller, "A Note on the Generation of Random Normal Deviates" (1958).
 *
 * @param key - The sequence; see {@link RandomKey}.
 * @param count - The number of results, an integer from 0 to 2^32 - 1; else `RangeError`.
 * @returns Numbers between about -8.6 and 8.6.
 */
export function normal(key: RandomKey, count: number): Float64Array {
  const numbers = new Float64Array(checkWord('count', count));
  const fractions = uniform(key, count + (count % 2));
  for (let i = 0; i < count; i += 2) {
    // 1 - u lies in (0, 1], where the logarithm is finite.
    const radius = Math.sqrt(-2 * log(1 - (fractions[i] as number)));
    const angle = twoPi * (fractions[i + 1] as number);
    numbers[i] = radius * cos(angle);
    // Past the end of an odd count this store is dropped, as typed arrays do.
    numbers[i + 1] = radius * sin(angle);
  }
  return numbers;
}
