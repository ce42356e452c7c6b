import type { Round, Sums } from '@gradwire/engine';

/**
 * What a leaf is worth: a pure function of the weights, the place of the round in the run and the leaf, never of the
 * round's index, which grows when a run goes back. The gradient has as many elements as the weights; an evaluation's
 * is empty.
 */
export type Work = (weights: Float32Array, round: Round, place: LeafPlace) => Sums;

/** A leaf and its number of samples, above 0. */
export interface LeafPlace {
  readonly leaf: number;
  readonly samples: number;
}

/** Made-up sums, by arithmetic on a few numbers. Magnitudes differ so much that any other order of additions gives other bits. */
export function createFakeWork(seed: number): Work {
  return (weights, round, { leaf, samples }) => {
    const key = scramble(seed + 31 * round.version + 7919 * leaf + (round.task === 'evaluate' ? 104_729 : 0));
    const loss = (samples * (key & 0xffff)) / 65_536;
    if (round.task === 'evaluate') {
      const right = key % (samples + 1);
      const metrics = Float64Array.of(loss, right, right, 0, samples - right, 0);
      return { samples, gradient: new Float32Array(0), metrics };
    }
    const gradient = new Float32Array(weights.length);
    for (let i = 0; i < gradient.length; i++) {
      const word = scramble(key + i);
      const magnitude = magnitudes[word % magnitudes.length]! * (0.5 + (word >>> 16) / 65_536);
      gradient[i] = samples * (weights[i]! + magnitude - 1);
    }
    return { samples, gradient, metrics: Float64Array.of(loss, key % (samples + 1)) };
  };
}

/** Written out: `**` may differ between machines. */
const magnitudes = [0.0001, 0.001, 0.01, 0.1, 1, 10, 100];

/** A 32-bit hash of a number (the finalizer of MurmurHash3). */
export function scramble(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}
