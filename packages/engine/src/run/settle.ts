import { findAbsurd } from './absurd.ts';
import { keyOf, nonFiniteDigest, type Answer } from './answers.ts';
import { askMore, createCheck, digestsOf, ruleOn, type CheckAt, type Ruling } from './checks.ts';
import { count } from './count.ts';
import { describeDispute, describeVerdict } from './incidents.ts';
import { leaseUnowned } from './leasing.ts';
import { expel } from './membership.ts';
import { findNonFinite } from './non-finite.ts';
import { closeIfComplete, openRound } from './rounds.ts';
import { endRun } from './state.ts';
import type { EngineEffect, PartialSum, WorkerId } from '../events.ts';
import type { ActiveRound, Run } from './state.ts';
import type { Contributed } from './trust.ts';

/** What came in for a node. */
export interface Arrival {
  readonly answer: Answer;
  readonly partial: PartialSum;
  readonly atMs: number;
}

/** Holds an answer back until another worker of its class has given the same. */
export function openCheck(run: Run, active: ActiveRound, { answer, partial, atMs }: Arrival): EngineEffect[] {
  const holders = active.leases
    .leaves(partial)
    .flatMap((leaf) => [...(active.leases.lease(leaf)?.current ?? [])]);
  const asked = holders.filter((id) => run.workers.get(id)?.numericsClass === answer.numericsClass);
  const check = createCheck(partial, [answer], { asked });
  check.partials.set(answer.digest, partial);
  active.leases.check(partial);
  active.checks.set(keyOf(partial), check);
  return review(run, active, { check, atMs });
}

/**
 * An answer for leaves of which somebody has, or had, another one:
 *
 *     the node is checked, and it was asked          take it down
 *     the node is counted, from the same class       equal: verified; else a dispute
 *     else                                           drop
 */
export function takeLate(run: Run, active: ActiveRound, { answer, partial, atMs }: Arrival): EngineEffect[] {
  const key = keyOf(partial);
  const check = active.checks.get(key);
  if (check) {
    if (!check.asked.has(answer.worker) || check.answers.has(answer.worker)) return [];
    check.answers.set(answer.worker, answer);
    if (!check.partials.has(answer.digest)) check.partials.set(answer.digest, partial);
    return review(run, active, { check, atMs });
  }
  const counted = active.counted.get(key);
  if (!counted || counted.worker === answer.worker || counted.numericsClass !== answer.numericsClass)
    return [];
  if (counted.digest === answer.digest) {
    active.verified.set(key, [...(active.verified.get(key) ?? []), answer.worker]);
    return [];
  }
  const dispute = createCheck(partial, [counted, answer], { counted });
  active.checks.set(key, dispute);
  return review(run, active, { check: dispute, atMs });
}

/** Looks at all open checks again: somebody has come, gone or become late. */
export function reviewChecks(run: Run, atMs: number): EngineEffect[] {
  const { active } = run;
  if (!active || active.checks.size === 0) return [];
  const open = [...active.checks.values()];
  return open.flatMap((check) =>
    run.active === active && active.checks.get(keyOf(check)) === check
      ? review(run, active, { check, atMs })
      : [],
  );
}

function review(run: Run, active: ActiveRound, { check, atMs }: CheckAt): EngineEffect[] {
  const effects: EngineEffect[] = [];
  if (digestsOf(check.answers.values()).size > 1 && !check.isDispute) {
    check.isDispute = true;
    effects.push(describeDispute(active, check));
  }
  const ruling = ruleOn(run, active, { check, atMs });
  if (ruling.type === 'wait') return [...effects, ...askMore(run, active, { check, atMs })];
  active.checks.delete(keyOf(check));
  if (ruling.type === 'accept') return [...effects, ...accept(run, active, { check, ruling, atMs })];
  active.leases.reopen(check, atMs);
  return [...effects, ...leaseUnowned(run, atMs)];
}

interface Acceptance extends CheckAt {
  readonly ruling: Extract<Ruling, { readonly type: 'accept' }>;
}

function accept(run: Run, active: ActiveRound, { check, ruling, atMs }: Acceptance): EngineEffect[] {
  const { answer } = ruling;
  const partial = check.partials.get(answer.digest);
  if (answer.digest === nonFiniteDigest && partial) {
    const found = { plan: run.plan, active, worker: answer.worker, partial };
    return endRun(run, 'failed', findNonFinite(found, run.vectors));
  }
  const isPolluted = check.counted !== undefined && check.counted.digest !== answer.digest;
  const agreed = [...check.answers.values()].filter(({ digest }) => digest === answer.digest);
  active.verified.set(
    keyOf(check),
    agreed.map(({ worker }) => worker),
  );
  if (!check.counted && partial) count(active, { answer, partial });
  const effects = check.isDispute ? convict(run, active, { check, ruling, atMs, isPolluted }) : [];
  return [...effects, ...closeUnlessAbsurd(run, active, atMs)];
}

/** Closes a round that is complete; in the first one, what is far larger than the rest is computed once more before. */
export function closeUnlessAbsurd(run: Run, active: ActiveRound, atMs: number): EngineEffect[] {
  const absurd = run.active === active && active.checks.size === 0 ? findAbsurd(run, active) : undefined;
  if (!absurd) return closeIfComplete(run, active, atMs);
  const { answer, node } = absurd;
  const check = createCheck(node, [answer], { counted: answer });
  active.checks.set(keyOf(node), check);
  return review(run, active, { check, atMs });
}

/**
 * Puts out those who were wrong, and undoes what they have contributed:
 *
 *     steps since they were last verified         to a snapshot before the first of them
 *     only this round                             the round is computed anew
 *     nothing                                     the round goes on
 */
function convict(
  run: Run,
  active: ActiveRound,
  { check, ruling, atMs, isPolluted }: Acceptance & { readonly isPolluted: boolean },
): EngineEffect[] {
  const { wrong } = ruling;
  const records = wrong.map((worker) => ({ worker, unverified: run.trust?.unverified(worker, wrong) ?? [] }));
  const verdict = describeVerdict(active, check, { ruling, records });
  const [earliest] = records
    .filter(({ unverified }) => unverified.length > 0)
    .toSorted((a, b) => firstStep(a) - firstStep(b));
  for (const worker of wrong) active.convicted.add(worker);
  const isConvicted = (worker: WorkerId): boolean => active.convicted.has(worker);
  const hasPart = active.contributions.some(
    (part) => isConvicted(part.worker) && (active.verified.get(keyOf(part)) ?? []).every(isConvicted),
  );
  if (earliest || hasPart || isPolluted) run.active = undefined;
  else withdraw(active, wrong);

  const message = `computed other numbers than the other workers of its class: ${verdict.incident.message}`;
  const expelled = wrong.flatMap((id) => putOut(run, id, { message, atMs }));
  if (earliest) return [verdict, ...expelled, goBack(run, earliest)];
  return [verdict, ...expelled, ...(run.active ? [] : openRound(run, atMs))];
}

/** What they have answered elsewhere is nobody's answer any more, unless somebody else has given the same. */
function withdraw({ checks }: ActiveRound, wrong: readonly WorkerId[]): void {
  for (const check of checks.values()) {
    for (const worker of wrong) check.answers.delete(worker);
    const left = digestsOf(check.answers.values());
    for (const digest of check.partials.keys()) if (!left.has(digest)) check.partials.delete(digest);
    check.isDispute &&= left.size > 1;
  }
}

interface Suspect {
  readonly worker: WorkerId;
  readonly unverified: readonly Contributed[];
}

function firstStep({ unverified }: Suspect): number {
  return unverified[0]?.step ?? Infinity;
}

function putOut(
  run: Run,
  id: WorkerId,
  reason: { readonly message: string; readonly atMs: number },
): EngineEffect[] {
  const worker = run.workers.get(id);
  return worker ? expel(run, worker, { code: 'WRONG_NUMBERS', ...reason }) : [];
}

/** Nothing is leased until the caller has restored a state. */
function goBack(run: Run, suspect: Suspect): EngineEffect {
  run.isGoingBack = true;
  run.nextDueMs = Infinity;
  return { type: 'roll-back', step: firstStep(suspect) - 1, ...suspect };
}
