/** Options of {@link backoff}. */
export interface BackoffOptions {
  /** Upper bound of the first delay; default 500. */
  readonly initialMs?: number;
  /** Upper bound of every delay; default 15,000. */
  readonly maxMs?: number;
  /** Decides the jitter; two workers should not have the same. */
  readonly seed: number;
}

/** Delays between attempts to connect. */
export interface Backoff {
  /** The delay before the next attempt, in milliseconds. */
  next(): number;
  /** An attempt succeeded: start again with short delays. */
  reset(): void;
}

/**
 * Delays that double up to a maximum, each shortened by up to half, so that workers which lost the same coordinator do
 * not come back all at once.
 *
 * @throws RangeError unless `0 < initialMs <= maxMs`.
 * @example
 * const delays = backoff({ seed: process.pid });
 * delays.next(); // 250 to 500
 * delays.next(); // 500 to 1000
 */
export function backoff({ initialMs = 500, maxMs = 15_000, seed }: BackoffOptions): Backoff {
  if (!(initialMs > 0 && initialMs <= maxMs)) {
    throw new RangeError(`initialMs: expected more than 0 and at most maxMs (${maxMs}), found ${initialMs}`);
  }
  const random = createJitter(seed);
  let boundMs = initialMs;
  return {
    next() {
      const delayMs = Math.round(boundMs * (0.5 + 0.5 * random()));
      boundMs = Math.min(2 * boundMs, maxMs);
      return delayMs;
    },
    reset() {
      boundMs = initialMs;
    },
  };
}

/** Numbers in [0, 1): the mulberry32 generator. Good enough to spread delays, and nothing else is made from it. */
function createJitter(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
