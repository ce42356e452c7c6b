import { feedbackOf, type FeedbackPlace } from './feedback.ts';
import type { EnginePlan, Round } from '../events.ts';

/** Where a leased step stands in its period; a replay is computed for what it leaves behind, and not answered. */
export interface LeasePlace extends FeedbackPlace {
  readonly isReplay?: true;
}

/** A lease, and the weights that it is computed with. */
export interface WeightedWork {
  readonly round: Round;
  readonly leaves: readonly number[];
  readonly feedback?: LeasePlace;
  readonly weights: Float32Array;
}

/**
 * Error feedback: knows what each worker keeps of which group, and the weights since the period began. Who gets a group and
 * does not have what was left out of it computes the period's steps of that group again: it is a function of the weights.
 */
export interface CatchUp {
  /**
   * What `worker` has to do for a lease, in order: the lease itself is the last. It counts as done then. `worker` stands for
   * one connection: what was kept over another one is not counted on.
   */
  expand(worker: object, work: WeightedWork): WeightedWork[];
  /** Steps come again from an earlier one on. */
  goBack(): void;
}

export function createCatchUp(plan: EnginePlan): CatchUp {
  const past = new Map<number, { readonly round: Round; readonly weights: Float32Array }>();
  /** The last step that each worker has computed of a group. */
  let kept = new WeakMap<object, Map<number, number>>();
  return {
    goBack() {
      past.clear();
      kept = new WeakMap();
    },
    expand(worker, work) {
      const { round, leaves, weights } = work;
      const feedback = feedbackOf(plan, round);
      if (!feedback) return [work];
      const { version } = round;
      const { since } = feedback;
      for (const old of past.keys()) if (old < since) past.delete(old);
      past.set(version, { round, weights });
      const groups = kept.get(worker) ?? new Map<number, number>();
      kept.set(worker, groups);
      const replays = new Map<number, number[]>();
      for (const group of groupsOf(plan, leaves)) {
        const last = groups.get(group) ?? -1;
        // Whoever has computed this step already keeps what it left out, not what the step before did.
        for (let step = last >= since && last < version ? last + 1 : since; step < version; step++)
          replays.set(step, [...(replays.get(step) ?? []), ...leavesOf(plan, group)]);
        groups.set(group, version);
      }
      const steps = [...replays].toSorted(([a], [b]) => a - b);
      return [
        ...steps.flatMap(([step, missing]) => {
          const found = past.get(step);
          const place = { since, isLast: false, isReplay: true } as const;
          return found ? [{ ...found, leaves: missing, feedback: place }] : [];
        }),
        { ...work, feedback },
      ];
    },
  };
}

function groupsOf({ coding }: EnginePlan, leaves: readonly number[]): Set<number> {
  return new Set(leaves.map((leaf) => Math.floor(leaf / (coding?.groupSize ?? 1))));
}

/** All have samples: only an epoch's last step may lack some, and that is a period of its own. */
function leavesOf({ coding, shards }: EnginePlan, group: number): number[] {
  const size = coding?.groupSize ?? 1;
  const lo = group * size;
  return Array.from({ length: Math.min(size, shards - lo) }, (_, i) => lo + i);
}
