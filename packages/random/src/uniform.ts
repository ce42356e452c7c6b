import type { RandomKey } from './random-key.ts';
import { checkWord } from './random-key.ts';
import { wordReader } from './random-words.ts';

/** The interval of {@link uniform}. */
export interface UniformRange {
  /** The lower bound, included; 0 by default. */
  readonly low?: number;
  /** The upper bound, excluded except where rounding reaches it; 1 by default. */
  readonly high?: number;
}

/**
 * Random numbers with 53 random bits each, uniform in [low, high). A longer sequence begins with the shorter one.
 *
 * @param key - The sequence; see {@link RandomKey}.
 * @param count - The number of results, an integer from 0 to 2^32 - 1; else `RangeError`.
 * @param range - `low` must be finite and at most `high`, and so must `high - low` be; else `RangeError`.
 */
export function uniform(
  key: RandomKey,
  count: number,
  { low = 0, high = 1 }: UniformRange = {},
): Float64Array {
  const width = high - low;
  if (!Number.isFinite(width) || width < 0) {
    throw new RangeError(`low and high must be finite, low at most high, got ${low} and ${high}`);
  }
  const numbers = new Float64Array(checkWord('count', count));
  const next = wordReader(key);
  for (let i = 0; i < numbers.length; i++) numbers[i] = low + width * fraction(next(), next());
  return numbers;
}

/** A multiple of 2^-53 in [0, 1) from the upper 27 bits of one word and the upper 26 of another. */
function fraction(high: number, low: number): number {
  return ((high >>> 5) * 0x4000000 + (low >>> 6)) / 0x20000000000000;
}
