import type { EnginePlan, Round } from '../events.ts';

/** Where a step stands in its period of error feedback. */
export interface FeedbackPlace {
  /** Version of the period's first step: nothing was kept of the steps before. */
  readonly since: number;
  /** The period's last step: every sum is sent whole, and nothing is kept. */
  readonly isLast: boolean;
}

type FeedbackPlan = Pick<EnginePlan, 'coding' | 'stepsPerEpoch' | 'totalSteps'>;

/** Where a round stands; undefined without error feedback, and for evaluations. */
export function feedbackOf(plan: FeedbackPlan, { task, version }: Round): FeedbackPlace | undefined {
  if (task !== 'step' || plan.coding?.feedbackSteps === undefined) return undefined;
  let since = version;
  while (!isPeriodStart(plan, since)) since--;
  return { since, isLast: isPeriodStart(plan, version + 1) };
}

/**
 * Whether nothing was kept of the steps before `version`. Each epoch has periods of its own; its last step, in which some
 * shards may have no samples, and the first steps of a resumed run are never in the middle of one.
 */
export function isPeriodStart({ coding, stepsPerEpoch, totalSteps }: FeedbackPlan, version: number): boolean {
  const { feedbackSteps } = coding ?? {};
  if (feedbackSteps === undefined || version === totalSteps) return true;
  const step = version % stepsPerEpoch;
  return step % feedbackSteps === 0 || step === stepsPerEpoch - 1;
}

/** Leaves that are leased together: with error feedback a whole group. */
export function unitSize({ coding }: EnginePlan, { task }: Pick<Round, 'task'>): number {
  return task === 'step' && coding?.feedbackSteps !== undefined ? coding.groupSize : 1;
}

/** The leaves, ascending, in the units in which they are leased. */
export function unitsOf(plan: EnginePlan, round: Round, leaves: readonly number[]): number[][] {
  const size = unitSize(plan, round);
  if (size === 1) return leaves.map((leaf) => [leaf]);
  const units = new Map<number, number[]>();
  for (const leaf of leaves) {
    const unit = Math.floor(leaf / size);
    const found = units.get(unit);
    if (found) found.push(leaf);
    else units.set(unit, [leaf]);
  }
  return [...units.values()];
}
