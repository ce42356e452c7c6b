import { createTurn, restartTurn, samplesLeft } from '../leases/turn.ts';
import type { EngineEffect, PartialSum, Round } from '../events.ts';
import type { Turn } from '../leases/turn.ts';
import type { ActiveRound, Run, Worker } from './state.ts';

/** Events are handled at most this much after the deadline that asks for them, or the process has not been running. */
const sleptMs = 250;
/** A late worker that does not answer at all gets another chance after so many times its patience. */
const secondChance = 10;

/** What is leased. */
export interface Offer {
  readonly active: ActiveRound;
  readonly leaves: readonly number[];
  readonly atMs: number;
  /** What is usual for so many samples; default: {@link createTypicalMs}. For many offers it is made once. */
  readonly typicalMs?: TypicalMs;
}

/** What workers that are measured take for so many samples, in the median; unknown if none is. */
export type TypicalMs = (samples: number) => number | undefined;

/** Leases leaves to a worker, with a deadline. The lease table has them under its name. */
export function giveTurn(run: Run, worker: Worker, offer: Offer): EngineEffect {
  const { active, leaves, atMs } = offer;
  const { round } = active;
  const { typicalMs = createTypicalMs(run, round.task) } = offer;
  const samplesByLeaf = new Map<number, number>();
  let samples = 0;
  for (const leaf of leaves) {
    const count = active.leases.lease(leaf)?.samples ?? 0;
    samplesByLeaf.set(leaf, count);
    samples += count;
  }
  const before = samplesLeft(worker.turns);
  const expectation = worker.response[round.task].expect(before + samples, typicalMs);
  const turn = createTurn({ round, samplesByLeaf, expectation, atMs });
  worker.turns.push(turn);
  run.nextDueMs = Math.min(run.nextDueMs, turn.dueMs);
  return { type: 'lease', worker: worker.id, round, leaves };
}

/** Looks at all workers only when it is asked, and once for each number of samples. */
export function createTypicalMs({ workers }: Run, task: Round['task']): TypicalMs {
  const asked = new Map<number, number | undefined>();
  return (samples) => {
    if (!asked.has(samples)) asked.set(samples, medianMs(workers.values(), task, samples));
    return asked.get(samples);
  };
}

/** Of two the lower one: who answers as late as it may must not give itself more time. */
function medianMs(workers: Iterable<Worker>, task: Round['task'], samples: number): number | undefined {
  const known: number[] = [];
  for (const { response } of workers) {
    const ms = response[task].usualMs(samples);
    if (ms !== undefined) known.push(ms);
  }
  return known.sort((a, b) => a - b)[(known.length - 1) >> 1];
}

/** Takes an answer off the list of what its worker owes, needed or not, and learns from the time it took. */
export function answerTurn(worker: Worker, partial: PartialSum, atMs: number): void {
  const { round, lo, hi, computeMs } = partial;
  const index = worker.turns.findIndex((each) => each.round === round && holds(each, lo, hi));
  const turn = worker.turns[index];
  if (!turn || !(computeMs >= 0 && computeMs < Infinity)) return;
  // Leases are computed in order: nothing more will come of older rounds.
  if (index > 0)
    worker.turns.splice(0, index, ...worker.turns.slice(0, index).filter((each) => each.round === round));

  let samples = 0;
  for (const [leaf, count] of turn.unanswered) {
    if (leaf < lo || leaf >= hi) continue;
    samples += count;
    turn.unanswered.delete(leaf);
  }
  turn.computeMs += computeMs;
  // Speeds are measured in steps only: a sample of an evaluation takes another time.
  if (turn.task === 'step') worker.speed.record(samples, computeMs);
  if (turn.unanswered.size === 0) endTurn(worker, turn, atMs);
}

/** Whether a node has leaves of a turn, and none of them was answered before. */
function holds({ leaves, unanswered }: Turn, lo: number, hi: number): boolean {
  let isAsked = false;
  for (const leaf of leaves) {
    if (leaf < lo || leaf >= hi) continue;
    if (!unanswered.has(leaf)) return false;
    isAsked = true;
  }
  return isAsked;
}

function endTurn(worker: Worker, turn: Turn, atMs: number): void {
  const { samples, computeMs, expectation } = turn;
  const startMs = Math.max(turn.sinceMs, worker.idleSinceMs);
  // A worker that was stopped for a minute does not take a minute from now on.
  const elapsedMs = Math.max(0, Math.min(atMs - startMs, 2 * expectation.patienceMs));
  if (!turn.isRestarted) worker.response[turn.task].record({ samples, computeMs, elapsedMs });
  worker.turns.splice(worker.turns.indexOf(turn), 1);
  worker.idleSinceMs = atMs;
}

/** Whether it has let a deadline pass and not answered since. */
export function isLate({ turns }: Worker, atMs: number): boolean {
  return turns.some(
    ({ isLate: late, dueMs, expectation }) => late && atMs < dueMs + secondChance * expectation.patienceMs,
  );
}

/** A worker that may get leases. */
export function isReady({ stage, isDraining }: Worker): boolean {
  return stage === 'ready' && !isDraining;
}

/** A worker that may get leases and has none. */
export function isIdle(worker: Worker): boolean {
  return isReady(worker) && worker.turns.length === 0;
}

/**
 * Deadlines start again if the clock has jumped, or if this process was not running when one passed: it has slept, or
 * the whole machine has, and the answers may lie in its sockets.
 */
export function noteTime(run: Run, atMs: number): void {
  if (atMs < run.nowMs || atMs > run.nextDueMs + sleptMs) {
    run.nextDueMs = Infinity;
    for (const turn of turnsOf(run)) {
      if (!turn.isLate || atMs < run.nowMs) restartTurn(turn, atMs);
      if (!turn.isLate) run.nextDueMs = Math.min(run.nextDueMs, turn.dueMs);
    }
  }
  run.nowMs = atMs;
}

/** Marks what is late now, and finds the next deadline. */
export function markLate(run: Run, atMs: number): void {
  if (atMs < run.nextDueMs) return;
  run.nextDueMs = Infinity;
  for (const worker of run.workers.values()) {
    for (const turn of worker.turns) {
      if (turn.isLate) continue;
      if (turn.dueMs > atMs) run.nextDueMs = Math.min(run.nextDueMs, turn.dueMs);
      else if (isNeeded(run, turn)) {
        turn.isLate = true;
        run.late.add(worker);
      }
    }
  }
}

/** Whether somebody waits for an answer of this turn. */
function isNeeded({ active, pool }: Run, turn: Turn): boolean {
  if (pool) return pool.flights.get(turn.round)?.isOutdated === false;
  if (turn.round !== active?.round.index) return false;
  const checks = [...active.checks.values()];
  return [...turn.unanswered.keys()].some(
    (leaf) =>
      active.leases.lease(leaf)?.state === 'owned' || checks.some(({ lo, hi }) => leaf >= lo && leaf < hi),
  );
}

function turnsOf({ workers }: Run): Turn[] {
  return [...workers.values()].flatMap(({ turns }) => turns);
}
