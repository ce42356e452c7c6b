import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { joinReports, type SeedRange, type SeedsReport } from './run-seeds.ts';

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

const threadFile = new URL('../../dist/batch/seeds-thread.js', import.meta.url);

/** Simulates many seeds on several threads. The report does not depend on the number of threads. */
export async function runBatch(options: BatchOptions): Promise<SeedsReport> {
  const { first, count, repeatEvery = 1, size, threads, onProgress, signal } = options;
  const ranges: SeedRange[] = [];
  for (let from = first; from < first + count; from += rangeSize) {
    const range = { first: from, count: Math.min(rangeSize, first + count - from), repeatEvery };
    ranges.push(size ? { ...range, size } : range);
  }
  const reports: SeedsReport[] = [];
  let next = 0;
  let done = 0;
  const take = (): number | undefined =>
    next < ranges.length && signal?.aborted !== true ? next++ : undefined;
  const work = async (): Promise<void> => {
    const thread = new Worker(threadFile, { execArgv: [] });
    try {
      for (let index = take(); index !== undefined; index = take()) {
        const range = ranges[index]!;
        reports[index] = await ask(thread, range);
        done += range.count;
        onProgress?.(done);
      }
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, ranges.length) }, work));
  signal?.throwIfAborted();
  return joinReports(reports);
}

async function ask(thread: Worker, range: SeedRange): Promise<SeedsReport> {
  const answered = once(thread, 'message');
  thread.postMessage(range);
  const [report] = await answered;
  return report as SeedsReport;
}
