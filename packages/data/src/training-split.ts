import { permutation } from '@gradwire/random';
import { checkInteger } from './check-integer.ts';

/** Options of {@link trainingIndices}. */
export interface SplitOptions {
  /** The part of the samples kept for validation: at least 0 and below 1. */
  readonly validationShare: number;
  /** An integer from 0 to 2^32 - 1. */
  readonly seed: number;
}

/** Sample numbers, ascending: every sample of the data set is in exactly one of the two. */
export interface TrainingSplit {
  readonly training: Uint32Array;
  readonly validation: Uint32Array;
}

/**
 * Sets a random part of a data set aside for validation: `round(count * validationShare)` samples, the first ones of
 * `permutation({ seed, stream: 'validation' }, count)`.
 *
 * @throws RangeError for an argument out of range.
 */
export function trainingIndices(count: number, { validationShare, seed }: SplitOptions): TrainingSplit {
  checkInteger('count', count, [0, 0xffffffff]);
  if (!(validationShare >= 0 && validationShare < 1)) {
    throw new RangeError(`validationShare must be at least 0 and below 1, got ${validationShare}`);
  }
  checkInteger('seed', seed, [0, 0xffffffff]);
  const validationCount = Math.round(count * validationShare);
  // Any order of all, sorted, is this one; every thread of a worker needs it at its start.
  if (validationCount === 0) {
    return { training: Uint32Array.from({ length: count }, (_, i) => i), validation: new Uint32Array(0) };
  }
  const order = permutation({ seed, stream: 'validation' }, count);
  return {
    training: order.subarray(validationCount).sort(),
    validation: order.slice(0, validationCount).sort(),
  };
}
