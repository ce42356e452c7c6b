import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { GradwireError } from '@gradwire/errors';
import { describeDifference, joinReports, type SeedRange, type SeedsReport } from './run-seeds.ts';

/** How to go through many seeds. */
export interface BatchOptions extends SeedRange {
  /** At least 1. */
  readonly threads: number;
  /** How many seeds are done. */
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** Small enough for the threads to end together, and the same whatever their number: the hash depends on it. */
const rangeSize = 250;

/** Nearly all that a simulation makes is garbage soon: in more room less of it is copied. */
const resourceLimits = { maxYoungGenerationSizeMb: 192 };

const threadFile = new URL('../../dist/batch/seeds-thread.js', import.meta.url);

/**
 * Simulates many seeds on several threads. The report does not depend on the number of threads. Throws CANCELLED at once when
 * the signal is aborted.
 */
export async function runBatch(options: BatchOptions): Promise<SeedsReport> {
  const ranges = divide(options);
  const { repeatEvery = 1, size } = options;
  const again = size ? ranges.filter(({ first }) => first % repeatEvery === 0) : [];
  const reports = await runRanges([...ranges, ...again], options);
  const repeated = reports.splice(ranges.length);
  for (const [i, range] of again.entries()) {
    const index = ranges.indexOf(range);
    reports[index] = compare(range.first, reports[index]!, repeated[i]!);
  }
  return joinReports(reports);
}

/** A large run takes a while: it is a range of its own, and its repetition is another one, for another thread. */
function divide({ first, count, repeatEvery = 1, size }: BatchOptions): SeedRange[] {
  const ranges: SeedRange[] = [];
  const most = size ? 1 : rangeSize;
  for (let from = first; from < first + count; from += most) {
    const range = { first: from, count: Math.min(most, first + count - from) };
    ranges.push(size ? { ...range, repeatEvery: Infinity, size } : { ...range, repeatEvery });
  }
  return ranges;
}

async function runRanges(
  ranges: readonly SeedRange[],
  { count, threads, onProgress, signal }: BatchOptions,
): Promise<SeedsReport[]> {
  const reports: SeedsReport[] = [];
  let next = 0;
  let done = 0;
  const take = (): number | undefined => (next < ranges.length ? next++ : undefined);
  const work = async (): Promise<void> => {
    const thread = new Worker(threadFile, { execArgv: [], resourceLimits });
    try {
      for (let index = take(); index !== undefined; index = take()) {
        const range = ranges[index]!;
        reports[index] = await ask(thread, range, signal);
        done += range.count;
        onProgress?.(Math.min(done, count));
      }
    } finally {
      await thread.terminate();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(threads, ranges.length) }, work));
  } catch (error) {
    throw signal?.aborted ? new GradwireError('CANCELLED', 'stopped on request') : error;
  }
  return reports;
}

function compare(seed: number, report: SeedsReport, again: SeedsReport): SeedsReport {
  if (report.hash === again.hash) return report;
  return { ...report, broken: [...report.broken, describeDifference(seed, report.hash, again.hash)] };
}

async function ask(thread: Worker, range: SeedRange, signal?: AbortSignal): Promise<SeedsReport> {
  const answered = once(thread, 'message', { signal });
  thread.postMessage(range);
  const [report] = await answered;
  return report as SeedsReport;
}
