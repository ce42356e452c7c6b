/** Share of a new measurement in the estimates: an outlier fades within a dozen turns. */
const measurementShare = 0.2;
/** A turn is late after this many times its usual length: a machine that is suddenly twice as slow is not. */
const patienceFactor = 3;
/** Deviations that are waited for besides. */
const patienceDeviations = 4;
/** No clock and no scheduler is finer than this when a machine is busy. */
const patienceFloorMs = 100;
/** Before anything is known: code is compiled and data fetched. */
const firstPatienceMs = 30_000;
/**
 * For a worker that is not measured among others that are: a multiple of what they take, and time to warm up. Nobody gets
 * more: else who answers just before each deadline would make the next one ever longer.
 */
const newcomerFactor = 10;
const newcomerWarmUpMs = 5_000;

/** One finished turn: leaves that were leased together, from the lease to the last answer. */
export interface TurnTimes {
  readonly samples: number;
  /** What the worker says that it computed. */
  readonly computeMs: number;
  readonly elapsedMs: number;
}

/** How long a turn takes if all is well, and after how long it is late. */
export interface Expectation {
  /** Unknown at first. */
  readonly usualMs: number | undefined;
  readonly patienceMs: number;
}

/** What a turn is made of, as estimated from the last ones. */
export interface UsualTimes {
  readonly msPerSample: number;
  /** All but computing: the wire, the queue, the weights. */
  readonly otherMs: number;
}

/** Learns how long a worker takes to answer: for computing, and for everything else (the wire, the queue, the weights). */
export interface ResponseMeter {
  record(turn: TurnTimes): void;
  /** Unknown before the second turn. */
  usual(): UsualTimes | undefined;
  /** The usual length of a turn of so many samples, if known. */
  usualMs(samples: number): number | undefined;
  /** `typicalMs`: what is usual for so many among all workers, if known; asked only if it can matter. */
  expect(samples: number, typicalMs: (samples: number) => number | undefined): Expectation;
}

/** Creates a meter that knows nothing yet. The first turn is not measured: it compiles code and fetches data. */
export function createResponseMeter(): ResponseMeter {
  let isWarm = false;
  let known: (UsualTimes & { readonly deviationMs: number }) | undefined;

  const usualMs = (samples: number): number | undefined =>
    known && samples * known.msPerSample + known.otherMs;

  return {
    usualMs,
    usual: () => known && { msPerSample: known.msPerSample, otherMs: known.otherMs },
    record({ samples, computeMs, elapsedMs }) {
      if (!isWarm || samples === 0) {
        isWarm = true;
        return;
      }
      const otherMs = Math.max(0, elapsedMs - computeMs);
      const fresh = { msPerSample: Math.min(computeMs, elapsedMs) / samples, otherMs };
      const expected = usualMs(samples) ?? elapsedMs;
      known = {
        msPerSample: blend(known?.msPerSample, fresh.msPerSample),
        otherMs: blend(known?.otherMs, fresh.otherMs),
        deviationMs: blend(known?.deviationMs, Math.abs(elapsedMs - expected)),
      };
    },
    expect(samples, typicalMs) {
      const usual = usualMs(samples);
      const most = (): number => {
        const othersMs = typicalMs(samples);
        return othersMs === undefined ? firstPatienceMs : newcomerFactor * othersMs + newcomerWarmUpMs;
      };
      if (!known || usual === undefined) return { usualMs: undefined, patienceMs: most() };
      const patienceMs = patienceFactor * usual + patienceDeviations * known.deviationMs + patienceFloorMs;
      const isShort = patienceMs <= newcomerWarmUpMs;
      return { usualMs: usual, patienceMs: isShort ? patienceMs : Math.min(patienceMs, most()) };
    },
  };
}

function blend(old: number | undefined, fresh: number): number {
  return old === undefined ? fresh : old + measurementShare * (fresh - old);
}
