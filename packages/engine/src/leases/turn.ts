import type { Round } from '../events.ts';
import type { Expectation } from './response-meter.ts';

/** Leaves that were leased to a worker in one message, until it has answered them all. */
export interface Turn {
  /** Index of its round. */
  readonly round: number;
  readonly task: Round['task'];
  readonly leaves: readonly number[];
  /** Samples of the leaves that it has not answered. A worker answers all, also when nobody needs them any more. */
  readonly unanswered: Map<number, number>;
  readonly samples: number;
  /** What it says that it computed so far. */
  computeMs: number;
  sinceMs: number;
  readonly expectation: Expectation;
  dueMs: number;
  /** Its clock was started again: how long it takes is not known. */
  isRestarted: boolean;
  /** Its deadline has passed: others may do its work, and the worker gets no more until it has answered. */
  isLate: boolean;
}

/** What is leased, and what to expect. */
export interface TurnStart {
  readonly round: Round;
  readonly samplesByLeaf: ReadonlyMap<number, number>;
  readonly expectation: Expectation;
  readonly atMs: number;
}

export function createTurn({ round, samplesByLeaf, expectation, atMs }: TurnStart): Turn {
  return {
    round: round.index,
    task: round.task,
    leaves: [...samplesByLeaf.keys()],
    unanswered: new Map(samplesByLeaf),
    samples: sumOf(samplesByLeaf.values()),
    computeMs: 0,
    sinceMs: atMs,
    expectation,
    dueMs: atMs + expectation.patienceMs,
    isRestarted: false,
    isLate: false,
  };
}

/** Starts its clock again, for example after this process has slept. */
export function restartTurn(turn: Turn, atMs: number): void {
  turn.sinceMs = atMs;
  turn.isRestarted = true;
  turn.dueMs = atMs + turn.expectation.patienceMs;
}

/** Samples that are still to be answered in some turns. */
export function samplesLeft(turns: readonly Turn[]): number {
  return turns.reduce((sum, { unanswered }) => sum + sumOf(unanswered.values()), 0);
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
