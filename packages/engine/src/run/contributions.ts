import { isAbsurd, noteMagnitudes } from './absurd.ts';
import { answerOf, nonFiniteDigest } from './answers.ts';
import { codeGroups } from './code-groups.ts';
import { count } from './count.ts';
import { judgePartial } from './judge-partial.ts';
import { leaseUnowned } from './leasing.ts';
import { expel, forget } from './membership.ts';
import { findNonFinite } from './non-finite.ts';
import { closeUnlessAbsurd, openCheck, takeLate, type Arrival } from './settle.ts';
import { describeLeaves, describeRound, roundAfter } from './sequence.ts';
import { endRun } from './state.ts';
import { askAnother } from './step-pool.ts';
import { answerTurn, isReady } from './turns.ts';
import { useFlight } from './use-flight.ts';
import type { EngineEffect, EnginePlan, PartialSum } from '../events.ts';
import type { ActiveRound, Run, Worker, WorkerEventOf } from './state.ts';
import type { Flight } from './step-pool.ts';

/** Judges a partial, adds it to its round's sum, and uses the sum if it was the last. */
export function receivePartial(
  run: Run,
  worker: Worker,
  event: WorkerEventOf<'partial-arrived'>,
): EngineEffect[] {
  const { plan, pool } = run;
  const { partial, atMs } = event;
  answerTurn(worker, partial, atMs);
  // An attempt at a step that is not on its way any more, and whose round will not come again.
  if (pool && partial.round < pool.nextIndex && !pool.flights.has(partial.round)) return [];
  const flight = pool?.flights.get(partial.round);
  const active = pool ? flight?.active : run.active;
  // Of a round that has been undone.
  if (!active && !pool && partial.round < run.nextIndex) return [];
  if (!active) {
    const message = pool
      ? `partial for round ${partial.round}, which has not begun`
      : 'partial before the run has started';
    return expel(run, worker, { message, atMs });
  }

  const verdict = judgePartial({ plan, active, worker: worker.id, partial });
  if (verdict.type === 'drop') return [];
  if (verdict.type === 'invalid') return expel(run, worker, { message: verdict.message, atMs });
  const used = codeWholeGroup(plan, active, partial);
  const arrival = { answer: answerOf(worker, used, run.vectors), partial: used, atMs };
  if (flight) return verdict.type === 'use' ? finishFlight(run, flight, arrival) : [];
  if (verdict.type === 'late') return takeLate(run, active, arrival);
  if (needsCheck(run, active, arrival)) return openCheck(run, active, arrival);
  count(active, arrival);
  return closeUnlessAbsurd(run, active, atMs);
}

/** Some send a whole group coded, others leave that to the engine: what is compared must be what is used. */
function codeWholeGroup(plan: EnginePlan, { round }: ActiveRound, partial: PartialSum): PartialSum {
  if (!plan.coding) return partial;
  const { lo, hi } = partial;
  return { ...partial, ...codeGroups(plan, round)({ lo, hi, value: partial }) };
}

/**
 * A share of the answers is compared with another worker's, and so is every one that is absurd or not finite; of the last
 * evaluation all are: nothing comes after it that could find who was wrong.
 */
function needsCheck(run: Run, { round }: ActiveRound, { answer, partial }: Arrival): boolean {
  const { plan, verify } = run;
  if (answer.digest === nonFiniteDigest || isAbsurd(run, answer)) return true;
  if (verify === undefined || verify.share === 0) return false;
  return verify.draw(round.index, partial.lo) < verify.share || roundAfter(plan, round) === undefined;
}

function finishFlight(run: Run, flight: Flight, { answer, partial, atMs }: Arrival): EngineEffect[] {
  const { active } = flight;
  const isFinite = answer.digest !== nonFiniteDigest;
  const others = [...run.workers.values()].filter((worker) => isReady(worker) && worker.id !== flight.worker);
  const isSecond = flight.doubted !== undefined && flight.doubted !== flight.worker;
  if (run.pool && !isSecond && others.length > 0 && (!isFinite || isAbsurd(run, answer))) {
    askAnother(run.pool, flight);
    return leaseUnowned(run, atMs);
  }
  if (!isFinite) {
    const found = { plan: run.plan, active, worker: answer.worker, partial };
    return endRun(run, 'failed', findNonFinite(found, run.vectors));
  }
  count(active, { answer, partial });
  noteMagnitudes(run, active);
  const sums = active.sum.root();
  return sums ? useFlight(run, flight, { sums, atMs }) : [];
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
    const place = { round: active.round, leaf, workers: [first.worker, worker.id] };
    return endRun(run, 'failed', { code: 'WORKER_FAILED', message: `${where}, ${causes}`, place });
  }
  active.failures.set(leaf, { worker: worker.id, message });
  return forget(run, worker, event.atMs);
}

function owns(active: ActiveRound, worker: Worker, leaf: number): boolean {
  return active.leases.claim(worker.id, { lo: leaf, hi: leaf + 1 }) === 'owned';
}
