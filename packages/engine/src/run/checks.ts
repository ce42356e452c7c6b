import { nonFiniteDigest, type Answer } from './answers.ts';
import { publish } from './leasing.ts';
import { giveTurn, isLate, isReady } from './turns.ts';
import type { EngineEffect, PartialSum, WorkerId } from '../events.ts';
import type { TreeNode } from '../tree/tree.ts';
import type { ActiveRound, Run, Worker } from './state.ts';

/**
 * A node that several workers of one class compute. It begins as an audit, with one answer; with two different ones it
 * is a dispute. The round is not closed before it is settled.
 */
export interface Check extends TreeNode {
  readonly numericsClass: string;
  /** One of each worker; those of workers that have gone show that there is a dispute, but do not vote. */
  readonly answers: Map<WorkerId, Answer>;
  /** The first partial with each digest. */
  readonly partials: Map<string, PartialSum>;
  readonly asked: Set<WorkerId>;
  /** The answer that is in the round's sum already, if one is. */
  readonly counted: Answer | undefined;
  isDispute: boolean;
}

/** What comes of a check. */
export type Ruling =
  /** Somebody has still to answer, or to come. */
  | { readonly type: 'wait' }
  /** Nobody of the class is left to answer: the work is done anew. */
  | { readonly type: 'void' }
  /** `wrong`: those who answered otherwise. */
  | { readonly type: 'accept'; readonly answer: Answer; readonly wrong: readonly WorkerId[] };

/** Opens a check with the first answer, or with two that differ. */
export function createCheck(
  { lo, hi }: TreeNode,
  answers: readonly Answer[],
  { counted, asked = [] }: { readonly counted?: Answer; readonly asked?: Iterable<WorkerId> } = {},
): Check {
  return {
    lo,
    hi,
    numericsClass: answers[0]?.numericsClass ?? '',
    answers: new Map(answers.map((answer) => [answer.worker, answer])),
    partials: new Map(),
    asked: new Set([...asked, ...answers.map(({ worker }) => worker)]),
    counted,
    isDispute: false,
  };
}

/**
 *     answers            workers of the class                      ruling
 *     equal, 2 or more   any                                       accept
 *     1                  another one is there and not late         it is asked, wait
 *     1                  all others are late                       accept, unverified; but wait if it is not finite
 *     1                  nobody else is there                      accept, unverified
 *     different          none is there                             void, unless it is counted: then wait
 *     different          more than half, two at least, agree       accept; the others were wrong
 *     different          two: one finite, one not                  accept the finite one
 *     different          else                                      all are asked, wait
 */
export function ruleOn(run: Run, active: ActiveRound, { check, atMs }: CheckAt): Ruling {
  const members = [...run.workers.values()].filter(
    (worker) =>
      isReady(worker) &&
      worker.numericsClass === check.numericsClass &&
      (check.answers.has(worker.id) || canAnswer(worker, active, check)),
  );
  const digests = digestsOf(check.answers.values());
  if (digests.size > 1) return ruleOnDispute(check, members);
  const [answer] = check.answers.values();
  if (!answer) return { type: 'void' };
  if (check.answers.size > 1) return { type: 'accept', answer, wrong: [] };
  const others = members.filter(({ id }) => id !== answer.worker);
  const mustWait = others.some((worker) => answer.digest === nonFiniteDigest || !isLate(worker, atMs));
  return mustWait ? { type: 'wait' } : { type: 'accept', answer, wrong: [] };
}

/** A check, and when it is looked at. */
export interface CheckAt {
  readonly check: Check;
  readonly atMs: number;
}

/** Whether a worker has not been asked yet, or still has the node to compute. Some answer with something else. */
function canAnswer({ id, turns }: Worker, { round }: ActiveRound, { asked, lo, hi }: Check): boolean {
  if (!asked.has(id)) return true;
  return turns.some(
    (turn) =>
      turn.round === round.index &&
      turn.leaves.some((leaf) => leaf >= lo && leaf < hi && turn.unanswered.has(leaf)),
  );
}

function ruleOnDispute(check: Check, members: readonly Worker[]): Ruling {
  if (members.length === 0) return check.counted ? { type: 'wait' } : { type: 'void' };
  const all = [...check.answers.values()];
  const votes = all.filter(({ worker }) => members.some(({ id }) => id === worker));
  const support = (answer: Answer): number => votes.filter(({ digest }) => digest === answer.digest).length;
  const hasAll = votes.length === 2 && members.length === 2;
  const winner = votes.find(
    (answer) =>
      (support(answer) >= 2 && support(answer) > members.length / 2) ||
      // Two workers, and one of them has NaN: numbers do not turn out finite by accident.
      (hasAll && answer.digest !== nonFiniteDigest && digestsOf(votes).has(nonFiniteDigest)),
  );
  if (!winner) return { type: 'wait' };
  const wrong = all.filter(({ digest }) => digest !== winner.digest).map(({ worker }) => worker);
  return { type: 'accept', answer: winner, wrong };
}

/** What was answered, each once. */
export function digestsOf(answers: Iterable<Answer>): Set<string> {
  return new Set([...answers].map(({ digest }) => digest));
}

/** Leases the node to whoever is needed: for an audit one more worker, for a dispute all of the class. */
export function askMore(run: Run, active: ActiveRound, { check, atMs }: CheckAt): EngineEffect[] {
  const members = [...run.workers.values()].filter(
    (worker) => isReady(worker) && worker.numericsClass === check.numericsClass,
  );
  const free = members.filter(({ id }) => !check.asked.has(id));
  const punctual = free
    .filter((worker) => !isLate(worker, atMs))
    .toSorted((a, b) => a.turns.length - b.turns.length);
  const isAnswerDue = members.some(
    (worker) =>
      check.asked.has(worker.id) &&
      !check.answers.has(worker.id) &&
      canAnswer(worker, active, check) &&
      !isLate(worker, atMs),
  );
  const chosen = check.isDispute ? free : isAnswerDue ? [] : punctual.slice(0, 1);
  return chosen.flatMap((worker) => {
    const leaves = active.leases.leaves(check);
    check.asked.add(worker.id);
    active.leases.lend(leaves, worker.id);
    return [...publish(run, [worker]), giveTurn(run, worker, { active, leaves, atMs })];
  });
}
