import { judgePartial } from './judge-partial.ts';
import { expel, forget } from './membership.ts';
import { findNonFinite } from './non-finite.ts';
import { closeRound } from './rounds.ts';
import { describeLeaves, describeRound } from './sequence.ts';
import { endRun } from './state.ts';
import { useFlight } from './use-flight.ts';
import type { EngineEffect } from '../events.ts';
import type { ActiveRound, Run, Worker, WorkerEventOf } from './state.ts';

/** Judges a partial, adds it to its round's sum, and uses the sum if it was the last. */
export function receivePartial(
  run: Run,
  worker: Worker,
  event: WorkerEventOf<'partial-arrived'>,
): EngineEffect[] {
  const { plan, pool } = run;
  const { partial, atMs } = event;
  // An attempt at a step that is not on its way any more, and whose round will not come again.
  if (pool && partial.round < pool.nextIndex && !pool.flights.has(partial.round)) return [];
  const flight = pool?.flights.get(partial.round);
  const active = pool ? flight?.active : run.active;
  if (!active) {
    const message = pool
      ? `partial for round ${partial.round}, which has not begun`
      : 'partial before the run has started';
    return expel(run, worker, { message, atMs });
  }

  const verdict = judgePartial({ plan, active, worker: worker.id, partial });
  if (verdict.type === 'drop') return [];
  if (verdict.type === 'invalid') return expel(run, worker, { message: verdict.message, atMs });
  const error = findNonFinite({ plan, active, worker: worker.id, partial }, run.vectors);
  if (error) return endRun(run, 'failed', error);

  const { lo, hi, samples } = partial;
  active.leases.finish(partial);
  // Before it is added: the sum of two is made in the vector of one.
  const sum = run.vectors.checksum(partial.gradient);
  active.sum.add(partial, partial);
  active.contributions.push({
    worker: worker.id,
    numericsClass: worker.numericsClass ?? '',
    lo,
    hi,
    samples,
    sum,
  });
  // Speeds are measured in steps only: a sample of an evaluation takes another time.
  if (active.round.task === 'step') worker.speed.record(samples, partial.computeMs);
  const sums = active.sum.root();
  if (!sums) return [];
  return flight ? useFlight(run, flight, { sums, atMs }) : closeRound(run, active, { sums, atMs });
}
/** A worker is lost; a leaf that a second one fails on would not be computed by a third either: the run ends. */
export function failLeaf(run: Run, worker: Worker, event: WorkerEventOf<'worker-failed'>): EngineEffect[] {
  const { leaf, message, round = -1 } = event;
  const active = run.pool ? run.pool.flights.get(round)?.active : run.active;
  if (!active || leaf === undefined || round !== active.round.index || !owns(active, worker, leaf)) {
    return forget(run, worker, event.atMs);
  }
  const first = active.failures.get(leaf);
  if (first) {
    const where = `${describeRound(active.round)}: ${describeLeaves(active.round, [leaf])} failed on two workers`;
    const causes = `first on ${first.worker}: ${first.message}; then on ${worker.id}: ${message}`;
    return endRun(run, 'failed', { code: 'WORKER_FAILED', message: `${where}, ${causes}` });
  }
  active.failures.set(leaf, { worker: worker.id, message });
  return forget(run, worker, event.atMs);
}

function owns(active: ActiveRound, worker: Worker, leaf: number): boolean {
  return active.leases.claim(worker.id, { lo: leaf, hi: leaf + 1 }) === 'owned';
}
