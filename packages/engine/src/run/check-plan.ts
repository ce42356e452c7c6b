import { checkLayout } from '../layout.ts';
import type { EnginePlan } from '../events.ts';

/** Throws a `RangeError` that names the first setting with which no run can work. */
export function checkPlan(plan: EnginePlan): void {
  checkLayout(plan.layout);
  const { initialWeights, layout, evaluations, l2 = 0, clipNorm = Infinity, maxStaleness = 0 } = plan;
  if (initialWeights.length !== layout.size) {
    throw new RangeError(`initialWeights has ${initialWeights.length} elements, the layout ${layout.size}`);
  }
  for (const name of ['shards', 'stepsPerEpoch', 'totalSteps', 'classes'] as const) {
    const value = plan[name];
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`${name} must be at least 1, found ${value}`);
  }
  if (!(l2 >= 0)) throw new RangeError(`l2 must be at least 0, found ${l2}`);
  if (!(clipNorm > 0)) throw new RangeError(`clipNorm must be above 0, found ${clipNorm}`);
  const { groupSize = 1 } = plan.coding ?? {};
  if (!Number.isInteger(groupSize) || groupSize < 1 || (groupSize & (groupSize - 1)) !== 0) {
    throw new RangeError(`coding.groupSize must be a power of two, found ${groupSize}`);
  }
  checkFeedback(plan);
  if (!Number.isInteger(maxStaleness) || maxStaleness < 0) {
    throw new RangeError(`maxStaleness must be at least 0, found ${maxStaleness}`);
  }
  for (const split of [evaluations.afterEpoch, evaluations.atEnd]) {
    if (!evaluations.blocks[split].some((samples) => samples > 0)) {
      throw new RangeError(`evaluations.blocks.${split} must hold samples`);
    }
  }
}

function checkFeedback({ coding, maxStaleness }: EnginePlan): void {
  const { feedbackSteps } = coding ?? {};
  if (feedbackSteps === undefined) return;
  if (!Number.isInteger(feedbackSteps) || feedbackSteps < 2)
    throw new RangeError(`coding.feedbackSteps must be at least 2, found ${feedbackSteps}`);
  if (maxStaleness !== undefined)
    throw new RangeError('coding.feedbackSteps: not possible with maxStaleness');
}
