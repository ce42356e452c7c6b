import { performance } from 'node:perf_hooks';
import type { EngineStatus } from '@gradwire/engine';
import type { CoordinatorEvent } from './events.ts';
import type { Run } from './run.ts';

/** Says what a run waits for, once it has stood still for two seconds and then every ten. */
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
    const dueMs = saidMs > run.lastMoveMs ? saidMs + againMs : run.lastMoveMs + firstMs;
    if (now < dueMs) return;
    saidMs = now;
    const seconds = (now - run.lastMoveMs) / 1000;
    onEvent({ type: 'waiting', message: describeWaiting(run.engine.status()), seconds });
  }, 500);
  return { stop: () => clearInterval(timer) };
}

/** One sentence for people: what is waited for, and why. */
export function describeWaiting({ waitingFor, round, outstanding, workers }: EngineStatus): string {
  if (waitingFor === 'nothing') return 'the run has ended';
  if (waitingFor === 'start') return 'the run has not started';
  const place =
    round === undefined ? '' : round.task === 'step' ? `step ${round.version + 1}` : 'the evaluation';
  const preparing = workers.filter(({ stage }) => stage !== 'ready').map(({ worker }) => worker);
  if (waitingFor === 'workers') {
    if (workers.length === 0) return `${place} waits for a worker to join: none is connected`;
    return `${place} waits for ${preparing.join(', ')} to get ready (loading the backend and the data)`;
  }
  const owners = new Set(outstanding.map(({ owner }) => owner ?? 'nobody'));
  const parts = [...owners].map((name) => {
    const leaves = outstanding.filter(({ owner }) => (owner ?? 'nobody') === name).map(({ leaf }) => leaf);
    return `${name} (${round?.task === 'step' ? 'shards' : 'blocks'} ${leaves.join(', ')})`;
  });
  return `${place} waits for ${parts.join(', ')}`;
}
