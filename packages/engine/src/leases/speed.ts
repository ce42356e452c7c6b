/** Share of a new measurement in the estimate: an outlier fades within a dozen rounds. */
const measurementShare = 0.2;
/** How much an estimate moves towards the typical speed in a round without a measurement. */
const fadeShare = 0.01;
/** Clocks are coarse: no computation counts as shorter than this. */
const shortestMs = 0.01;

/** Estimates how fast one worker computes, in samples per millisecond. */
export interface SpeedMeter {
  /** Notes a piece of work of the current round. */
  record(samples: number, computeMs: number): void;
  /**
   * Takes the round's work into the estimate. A worker without work drifts towards the `typical` speed: one that
   * was slow once (busy with something else) and got no leases since must have a second chance.
   */
  endRound(typical: number): void;
  /** Samples per millisecond, if known. */
  estimate(): number | undefined;
}

/** Creates a meter that knows nothing yet. */
export function createSpeedMeter(): SpeedMeter {
  let estimate: number | undefined;
  // The first round compiles code and fetches data: it says nothing about the next.
  let isWarm = false;
  let samples = 0;
  let ms = 0;

  return {
    record(moreSamples, computeMs) {
      samples += moreSamples;
      ms += Math.max(computeMs, shortestMs);
    },
    endRound(typical) {
      if (samples > 0) {
        const measured = samples / ms;
        if (isWarm) estimate = blend(estimate ?? measured, measured, measurementShare);
        isWarm = true;
      } else if (estimate !== undefined) {
        estimate = blend(estimate, typical, fadeShare);
      }
      samples = 0;
      ms = 0;
    },
    estimate: () => estimate,
  };
}

/** A worker, to be measured. */
export interface Measured {
  readonly speed: SpeedMeter;
  readonly threads: number;
}

/** The mean of the known speeds per thread: what to expect of a worker that is not measured yet. 1 if none is known. */
export function typicalSpeed(workers: readonly Measured[]): number {
  const speeds = workers.map(({ speed, threads }) => (speed.estimate() ?? Number.NaN) / threads);
  const known = speeds.filter((speed) => !Number.isNaN(speed));
  return known.length === 0 ? 1 : known.reduce((sum, speed) => sum + speed, 0) / known.length;
}

function blend(old: number, fresh: number, share: number): number {
  return old + share * (fresh - old);
}
