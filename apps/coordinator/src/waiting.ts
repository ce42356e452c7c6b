import { performance } from 'node:perf_hooks';
import type { CheckStatus, EngineStatus, OutstandingLeaf } from '@gradwire/engine';
import type { CoordinatorEvent } from './events.ts';
import type { Run } from './run.ts';

/** Says what a run waits for, once it has stood still for two seconds longer than usual, and then every ten. */
export interface WaitingNotice {
  stop(): void;
}

const firstMs = 2_000;
const againMs = 10_000;

/** Starts to watch a run. */
export function watchForWaiting(run: Run, onEvent: (event: CoordinatorEvent) => void): WaitingNotice {
  let saidMs = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    const { lastMoveMs } = run;
    if (now < (saidMs > lastMoveMs ? saidMs + againMs : lastMoveMs + firstMs)) return;
    const status = run.engine.status();
    if (now < expectedMs(status) + firstMs) return;
    saidMs = now;
    const seconds = (now - lastMoveMs) / 1000;
    onEvent({ type: 'waiting', message: describeWaiting(status, now), seconds });
  }, 500);
  return { stop: () => clearInterval(timer) };
}

/** When the first answer that is waited for usually comes; -Infinity if that is not known of all of them. */
export function expectedMs({ waitingFor, outstanding }: EngineStatus): number {
  if (waitingFor !== 'leases' || outstanding.length === 0) return -Infinity;
  const times = outstanding.map(({ sinceMs, usualMs }) =>
    usualMs === undefined ? -Infinity : sinceMs + usualMs,
  );
  return Math.min(...times);
}

/**
 * One sentence for people: what is waited for, since when, and what is done about it. `nowMs` is on the clock of
 * `performance.now()`.
 */
export function describeWaiting(status: EngineStatus, nowMs: number): string {
  const { waitingFor, round, outstanding, workers } = status;
  if (waitingFor === 'nothing') return 'the run has ended';
  if (waitingFor === 'start') return 'the run has not started';
  const place =
    round === undefined ? '' : round.task === 'step' ? `step ${round.version + 1}` : 'the evaluation';
  const preparing = workers.filter(({ stage }) => stage !== 'ready').map(({ worker }) => worker);
  if (waitingFor === 'workers') {
    if (workers.length === 0) return `${place} waits for a worker to join: none is connected`;
    return `${place} waits for ${preparing.join(', ')} to get ready (loading the backend and the data)`;
  }
  if (waitingFor === 'restore')
    return 'the run goes back to an earlier state: a worker computed wrong numbers';
  if (waitingFor === 'checks') return `${place} waits for ${status.checks.map(describeCheck).join('; ')}`;
  const noun = round?.task === 'step' ? 'shard' : 'block';
  const owners = [...new Set(outstanding.map(({ owner }) => owner))];
  const parts = owners.map((owner) =>
    describeOwner(
      outstanding.filter((leaf) => leaf.owner === owner),
      noun,
      nowMs,
    ),
  );
  return `${place} waits on ${parts.join('; and on ')}`;
}

/** A node that is computed more than once. */
function describeCheck({ lo, hi, isDispute, answered, awaited }: CheckStatus): string {
  const names = answered.join(' and ');
  const from = awaited.length === 0 ? 'another worker of their class' : awaited.join(', ');
  const leaves = hi - lo === 1 ? `${lo}` : `${lo} to ${hi - 1}`;
  const why = isDispute ? `${names} computed different numbers` : `${names} is checked`;
  return `a further answer for ${leaves} from ${from}, since ${why}`;
}

/** For example `worker attic, shard 17, 2.1 s past its usual 0.3 s; backup leased to cellar`. */
function describeOwner(leaves: readonly OutstandingLeaf[], noun: string, nowMs: number): string {
  const [{ owner, sinceMs, usualMs, dueMs }] = leaves as [OutstandingLeaf];
  const numbers = leaves.map(({ leaf }) => leaf);
  const what = `worker ${owner ?? 'nobody'}, ${noun}${numbers.length === 1 ? '' : 's'} ${listRanges(numbers)}`;
  const since = nowMs - sinceMs;
  const backups = new Set(leaves.flatMap((leaf) => leaf.backups));
  const backup = backups.size === 0 ? '' : `; backup leased to ${[...backups].join(', ')}`;
  if (usualMs === undefined) return `${what}, for ${seconds(since)}, not measured yet${backup}`;
  if (since <= usualMs) return `${what}, for ${seconds(since)} of its usual ${seconds(usualMs)}${backup}`;
  const late = dueMs !== undefined && nowMs > dueMs && backups.size === 0 ? '; nobody is free to help' : '';
  return `${what}, ${seconds(since - usualMs)} past its usual ${seconds(usualMs)}${backup}${late}`;
}

/** `3, 5 to 8` for 3, 5, 6, 7, 8; `numbers` ascend. */
function listRanges(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`)).join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 100 ? 2 : 1)} s`;
}
