/**
 * What random numbers are drawn for, each with its own number, so that a new draw for one purpose shifts no other.
 * The numbers are part of every result: never change or reuse one.
 */
export const streams = {
  shuffle: 1,
  weights: 2,
  validation: 3,
  dropout: 4,
  augmentation: 5,
  probe: 6,
  verification: 7,
  noise: 8,
  simulation: 9,
} as const;

/** A purpose: a key of {@link streams}. */
export type StreamName = keyof typeof streams;

/**
 * Names one sequence of random words. Two keys that differ in any field give independent sequences.
 *
 * The n-th block of four words is Philox 4x32-10 of counter `(n, a, b, c)` and key `(seed, streams[stream])`.
 */
export interface RandomKey {
  /** An integer from 0 to 2^32 - 1. */
  readonly seed: number;
  readonly stream: StreamName;
  /** The first coordinate inside the stream, such as the epoch: an integer from 0 to 2^32 - 1; 0 by default. */
  readonly a?: number;
  /** The second coordinate, such as the shard: an integer from 0 to 2^32 - 1; 0 by default. */
  readonly b?: number;
  /** The third coordinate, such as the layer: an integer from 0 to 2^32 - 1; 0 by default. */
  readonly c?: number;
}

/** The fixed words of a key: all of counter and key except the block number. */
export interface KeyWords {
  readonly seed: number;
  readonly stream: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Checks a key and looks its stream up. Throws `RangeError` or `TypeError` naming the field. */
export function keyWords(key: RandomKey): KeyWords {
  const { seed, stream, a = 0, b = 0, c = 0 } = key;
  if (!Object.hasOwn(streams, stream)) {
    throw new TypeError(`stream must be one of ${Object.keys(streams).join(', ')}, got ${stream}`);
  }
  return {
    seed: checkWord('seed', seed),
    stream: streams[stream],
    a: checkWord('a', a),
    b: checkWord('b', b),
    c: checkWord('c', c),
  };
}

/** Returns `value`; throws `RangeError` naming it unless it is an integer from 0 to 2^32 - 1. */
export function checkWord(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`${name} must be an integer from 0 to 4294967295, got ${value}`);
  }
  return value;
}
