import { typicalSpeed } from '../leases/speed.ts';
import { noteMagnitudes } from './absurd.ts';
import { commitStep } from './commit-step.ts';
import { withAgreed } from './count.ts';
import { leaseUnowned } from './leasing.ts';
import { reportEvaluation } from './report-evaluation.ts';
import { stepsIn } from './run-state.ts';
import { roundAfter } from './sequence.ts';
import { createActiveRound, endRun } from './state.ts';
import { createStepPool } from './step-pool.ts';
import { noteRound } from './trust.ts';
import type { EngineEffect } from '../events.ts';
import type { Sums } from '../tree/sums.ts';
import type { ActiveRound, Run } from './state.ts';

/** Opens the round after the last closed one (or the first) and leases it, or ends the run if there is none. */
export function openRound(run: Run, atMs: number): EngineEffect[] {
  const next = roundAfter(run.plan, run.lastRound);
  if (!next) return endRun(run, 'finished');
  const round = { ...next, index: run.nextIndex };
  run.nextIndex += 1;
  run.nextDueMs = Infinity;
  const { maxStaleness } = run.plan;
  const isPooled = round.task === 'step' && maxStaleness !== undefined;
  run.pool = isPooled ? createStepPool(run.plan, round, { maxStaleness, atMs }) : undefined;
  run.active = isPooled ? undefined : createActiveRound(run, round, atMs);
  return leaseUnowned(run, atMs);
}

/** The sum over all leaves of a round, and when its last part arrived. */
export interface Completion {
  readonly sums: Sums;
  readonly atMs: number;
}

/** Closes a round whose sum is complete and of which nothing is being checked. */
export function closeIfComplete(run: Run, active: ActiveRound, atMs: number): EngineEffect[] {
  const sums = active.checks.size === 0 && run.active === active ? active.sum.root() : undefined;
  return sums ? closeRound(run, active, { sums, atMs }) : [];
}

/** Uses the complete sum of a round and goes on with the next, unless the sum ended the run. */
function closeRound(run: Run, active: ActiveRound, { sums, atMs }: Completion): EngineEffect[] {
  const { round } = active;
  if (round.task === 'step') {
    updateSpeeds(run);
    noteMagnitudes(run, active);
  }
  const effects =
    round.task === 'step' ? commitStep(run, active, sums) : reportEvaluation(run.plan, active, sums);
  if (run.phase !== 'running') return effects;
  run.lastRound = round;
  if (run.trust)
    noteRound(run.trust, { step: stepsIn({ lastRound: round }), contributions: withAgreed(active) });
  return [...effects, ...openRound(run, atMs)];
}

function updateSpeeds(run: Run): void {
  const workers = [...run.workers.values()];
  const typical = typicalSpeed(workers);
  for (const { speed, threads } of workers) speed.endRound(typical * threads);
}
