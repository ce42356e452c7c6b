import { describeLeaves, describeRound } from './sequence.ts';
import type { EngineEffect, WorkerId } from '../events.ts';
import type { Check, Ruling } from './checks.ts';
import type { ActiveRound } from './state.ts';
import type { Contributed } from './trust.ts';

type IncidentEffect = Extract<EngineEffect, { readonly type: 'incident' }>;

/** Two workers of one class have computed different numbers. */
export function describeDispute(active: ActiveRound, check: Check): IncidentEffect {
  const names = [...check.answers.keys()].join(' and ');
  const message = `${placeOf(active, check)}: ${names} computed different numbers; all workers of their class are asked`;
  return {
    type: 'incident',
    incident: { what: 'answers-differ', ...factsOf(active, check), message, wrong: [] },
  };
}

/** The dispute is settled. */
export function describeVerdict(
  active: ActiveRound,
  check: Check,
  {
    ruling,
    records,
  }: {
    readonly ruling: Extract<Ruling, { readonly type: 'accept' }>;
    readonly records: readonly { readonly worker: WorkerId; readonly unverified: readonly Contributed[] }[];
  },
): IncidentEffect {
  const right = [...check.answers.values()].filter(({ digest }) => digest === ruling.answer.digest);
  const agree = right.map(({ worker }) => worker).join(', ');
  const message = `${placeOf(active, check)}: ${ruling.wrong.join(', ')} differed from ${agree}`;
  return {
    type: 'incident',
    incident: { what: 'settled', ...factsOf(active, check), message, wrong: records },
  };
}

function placeOf({ round, leases }: ActiveRound, check: Check): string {
  return `${describeRound(round)}, ${describeLeaves(round, leases.leaves(check))}`;
}

function factsOf({ round }: ActiveRound, { lo, hi, answers }: Check) {
  const sums = [...answers.values()].map(({ worker, digest }) => ({ worker, digest }));
  return { round, lo, hi, answers: sums };
}
