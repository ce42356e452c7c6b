import type { Cut } from './lease-pieces.ts';

/** One lease in so many is cut the other way, to see whether that has become the faster one. */
const probeEvery = 16;
/** Times of each way that are remembered; their median counts, so that a moment's disturbance does not. */
const remembered = 5;

/** Finds the faster way to cut leases on this machine by trying both: bits do not depend on it. */
export interface CutChoice {
  /** For the next lease. */
  next(): Cut;
  record(cut: Cut, msPerSample: number): void;
}

/** Begins with even pieces, which cost least where all threads are equally fast. */
export function createCutChoice(): CutChoice {
  const times: Record<Cut, number[]> = { even: [], tapered: [] };
  let count = 0;
  return {
    next() {
      count += 1;
      const isTaperedFaster = median(times.tapered) < median(times.even);
      const isProbe = count % probeEvery === 0;
      return isTaperedFaster !== isProbe ? 'tapered' : 'even';
    },
    record(cut, msPerSample) {
      times[cut] = [...times[cut].slice(1 - remembered), msPerSample];
    },
  };
}

/** NaN of none, which is not less than anything. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
