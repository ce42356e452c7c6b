import { commitStep } from './commit-step.ts';
import { leaseUnowned } from './leasing.ts';
import { openRound } from './rounds.ts';
import { countUpdate, isDone } from './step-pool.ts';
import type { EngineEffect } from '../events.ts';
import type { Completion } from './rounds.ts';
import type { Run } from './state.ts';
import type { Flight } from './step-pool.ts';

/** Applies a step that one worker has computed, unless its weights were too old, and gives out the next. */
export function useFlight(run: Run, flight: Flight, { sums, atMs }: Completion): EngineEffect[] {
  const { active, isOutdated, worker } = flight;
  const { pool } = run;
  if (!pool) throw new RangeError('useFlight: no step is computed asynchronously now');
  const { round } = active;
  pool.flights.delete(round.index);
  // It has work to measure, so the typical speed does not matter.
  run.workers.get(worker)?.speed.endRound(1);
  if (isOutdated) return leaseUnowned(run, atMs);

  const { version } = pool;
  const effects = commitStep(
    run,
    { ...active, round: { ...round, version }, staleness: version - round.version },
    sums,
  );
  countUpdate(pool);
  if (run.phase !== 'running') return effects;
  if (!isDone(pool)) return [...effects, ...leaseUnowned(run, atMs)];
  run.lastRound = { ...round, index: pool.nextIndex - 1, version };
  run.nextIndex = pool.nextIndex;
  return [...effects, ...openRound(run, atMs)];
}
