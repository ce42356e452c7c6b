import type { Cut } from './lease-pieces.ts';

/** One lease in so many is cut the other way, to see whether that has become the faster one. */
const probeEvery = 16;
/** Share of a new measurement in the estimates. */
const measurementShare = 0.2;

/** Finds the faster way to cut leases on this machine by trying both: bits do not depend on it. */
export interface CutChoice {
  /** For the next lease. */
  next(): Cut;
  record(cut: Cut, msPerSample: number): void;
}

/** Begins with even pieces, which cost least where all threads are equally fast. */
export function createCutChoice(): CutChoice {
  const estimates: Partial<Record<Cut, number>> = {};
  let count = 0;
  return {
    next() {
      count += 1;
      const { even = 0, tapered = Number.POSITIVE_INFINITY } = estimates;
      const isProbe = count % probeEvery === 0;
      return tapered < even !== isProbe ? 'tapered' : 'even';
    },
    record(cut, msPerSample) {
      const old = estimates[cut] ?? msPerSample;
      estimates[cut] = old + measurementShare * (msPerSample - old);
    },
  };
}
