import { createTrace } from '../base/trace.ts';
import { createTally, type FaultKind, type FaultTally } from '../faults/fault-kinds.ts';
import { resize, type RunSize } from '../scenario/resize.ts';
import { simulate, type SimulationOptions } from '../simulate.ts';
import type { PromiseName } from '../watch/broken-promise.ts';

/** Neighbouring seeds. */
export interface SeedRange {
  readonly first: number;
  readonly count: number;
  /** Each seed that this divides is simulated twice, and the two traces compared; default 1: every one; `Infinity`: none. */
  readonly repeatEvery?: number;
  /** Default: small, and drawn. */
  readonly size?: RunSize;
}

/** A seed whose run broke a promise. */
export interface BrokenSeed {
  readonly seed: number;
  readonly promise: PromiseName | 'same trace';
  readonly message: string;
}

/** What many seeds led to. */
export interface SeedsReport {
  readonly seeds: number;
  /** Events and effects. */
  readonly length: number;
  readonly virtualMs: number;
  readonly faults: FaultTally;
  readonly broken: readonly BrokenSeed[];
  /** Over the hashes of all seeds, in order. */
  readonly hash: string;
}

/** Simulates one seed after the other. */
export function runSeeds(
  { first, count, repeatEvery = 1, size }: SeedRange,
  options: SimulationOptions = size ? { adapt: (scenario) => resize(scenario, size) } : {},
): SeedsReport {
  const trace = createTrace();
  const faults = createTally();
  const broken: BrokenSeed[] = [];
  let length = 0;
  let virtualMs = 0;
  for (let seed = first; seed < first + count; seed++) {
    const result = simulate(seed, options);
    if (result.broken) broken.push({ seed, ...result.broken });
    const isRepeated = Number.isFinite(repeatEvery) && seed % repeatEvery === 0;
    const again = isRepeated ? simulate(seed, options).hash : result.hash;
    if (again !== result.hash) broken.push(describeDifference(seed, result.hash, again));
    trace.note(result.hash);
    addFaults(faults, result.faults);
    length += result.length;
    virtualMs += result.virtualMs;
  }
  return { seeds: count, length, virtualMs, faults, broken, hash: trace.hash() };
}

/** A seed of which two runs have different traces. */
export function describeDifference(seed: number, one: string, other: string): BrokenSeed {
  return { seed, promise: 'same trace', message: `one run's trace is ${one}, another's ${other}` };
}

/** Adds reports of neighbouring ranges, in order. */
export function joinReports(reports: readonly SeedsReport[]): SeedsReport {
  const trace = createTrace();
  const faults = createTally();
  for (const report of reports) {
    trace.note(report.hash);
    addFaults(faults, report.faults);
  }
  const sum = (of: (report: SeedsReport) => number): number =>
    reports.reduce((total, each) => total + of(each), 0);
  return {
    seeds: sum(({ seeds }) => seeds),
    length: sum(({ length }) => length),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    faults,
    broken: reports.flatMap(({ broken }) => broken),
    hash: trace.hash(),
  };
}

function addFaults(to: FaultTally, more: FaultTally): void {
  for (const kind of Object.keys(more) as FaultKind[]) to[kind] += more[kind];
}
