import type { Contribution, StepContributions, WorkerId } from '../events.ts';
import type { TreeNode } from '../tree/tree.ts';

/** A contribution to a round that is closed. */
export interface Contributed extends TreeNode {
  /** Steps committed with it: of an evaluation, those before it. */
  readonly step: number;
}

/** So many are remembered of each worker, and its first one. */
const longestList = 1000;

/** Who has contributed what, and who agreed. Kept for workers that are gone, too. */
export interface TrustLedger {
  /** `agreed`: others who have computed the same bits. */
  note(worker: WorkerId, contribution: Contributed, agreed: readonly WorkerId[]): void;
  /** What a worker has contributed since somebody agreed with it who is not among `wrong`, nor was before. */
  unverified(worker: WorkerId, wrong: readonly WorkerId[]): readonly Contributed[];
  /** Forgets what was undone by going back to a state with so many steps, and whoever has nothing left. */
  goBack(step: number): void;
}

interface Entry {
  readonly contribution: Contributed;
  readonly agreed: readonly WorkerId[];
}

/** Creates an empty ledger. */
export function createTrustLedger(): TrustLedger {
  const lists = new Map<WorkerId, Entry[]>();
  // Liars vouch for each other, and may be found out one after the other.
  const convicted = new Set<WorkerId>();
  return {
    note(worker, contribution, agreed) {
      const list = lists.get(worker) ?? [];
      list.push({ contribution, agreed });
      if (list.length > longestList) list.splice(1, 1);
      lists.set(worker, list);
    },
    unverified(worker, wrong) {
      for (const each of wrong) convicted.add(each);
      const list = lists.get(worker) ?? [];
      const last = list.findLastIndex(({ agreed }) => agreed.some((other) => !convicted.has(other)));
      return list.slice(last + 1).map(({ contribution }) => contribution);
    },
    goBack(step) {
      for (const [worker, list] of lists) {
        const kept = list.filter(({ contribution }) => contribution.step <= step);
        if (kept.length === 0) lists.delete(worker);
        else lists.set(worker, kept);
      }
    },
  };
}

const nobody: readonly WorkerId[] = [];

/** Takes down a closed round; the verified parts first: they vouch for what was before it, not for what else is in it. */
export function noteRound(trust: TrustLedger, { step, contributions }: StepContributions): void {
  const rest: Contribution[] = [];
  for (const part of contributions) {
    const { worker, lo, hi, agreed } = part;
    if (agreed) trust.note(worker, { step, lo, hi }, agreed);
    else rest.push(part);
  }
  for (const { worker, lo, hi } of rest) trust.note(worker, { step, lo, hi }, nobody);
}
