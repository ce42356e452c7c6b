import { performance } from 'node:perf_hooks';

/** Where a run stands when it is asked whether a snapshot is due. */
export interface IntervalQuestion {
  readonly step: number;
  readonly nowMs: number;
  /** Its weights were just evaluated, and did better than those of any snapshot. */
  readonly isBest: boolean;
  /** Another one is being written. */
  readonly isBusy: boolean;
}

/** Decides when the next snapshot is due. */
export interface SnapshotInterval {
  isDue(question: IntervalQuestion): boolean;
  /** One was taken; where the engine had no clean boundary, none was, and it stays due. */
  taken(step: number): void;
  /** One was written, and took so long from the copy to the disk's word. */
  done(nowMs: number, costMs: number): void;
  /** One could not be written. */
  failed(nowMs: number): void;
}

/** Until a cost is measured, and after a failure. */
const firstMs = 2_000;
/** A snapshot may take one part in so many of the time between two: 0.5 %, and nearly all of it beside the steps. */
const costShare = 200;

/** `everySteps` fixes the interval; without it the measured cost decides. */
export function createInterval(everySteps?: number, startMs: number = performance.now()): SnapshotInterval {
  let lastMs = startMs;
  let pauseMs = firstMs;
  let lastStep = 0;
  return {
    isDue({ step, nowMs, isBest, isBusy }) {
      const isFixed =
        everySteps !== undefined && Math.floor(step / everySteps) > Math.floor(lastStep / everySteps);
      const isTime = everySteps === undefined && nowMs >= lastMs + pauseMs;
      // The best may come in between, at twice the share.
      const isGood = isBest && nowMs >= lastMs + pauseMs / 2;
      // A fixed one waits for its turn, with its copy; others need no second copy in memory.
      return isFixed || (!isBusy && (isTime || isGood));
    },
    taken(step) {
      lastStep = step;
    },
    done(nowMs, costMs) {
      lastMs = nowMs;
      pauseMs = Math.max(firstMs, costMs * costShare);
    },
    failed(nowMs) {
      lastMs = nowMs;
      pauseMs = Math.max(pauseMs, 5 * firstMs);
    },
  };
}
