import { isGroupNode, isTreeNode } from '../tree/tree.ts';
import { feedbackOf } from './feedback.ts';
import { describeRound, metricsLength } from './sequence.ts';
import type { EnginePlan, PartialSum, WorkerId } from '../events.ts';
import type { ActiveRound } from './state.ts';

/** What to do with a partial: use it, compare it if there is something to compare, drop it silently, or put its sender out. */
export type Verdict =
  | { readonly type: 'use' }
  | { readonly type: 'late' }
  | { readonly type: 'drop' }
  | { readonly type: 'invalid'; readonly message: string };

/** What is judged, and by which rules. */
export interface PartialCase {
  readonly plan: EnginePlan;
  readonly active: ActiveRound;
  readonly worker: WorkerId;
  readonly partial: PartialSum;
}

/**
 * All rules about who may contribute what; the first that applies decides.
 *
 *     round before the current one        drop: the worker was slow, and others have done its work
 *     any other wrong round               invalid
 *     not a node of the tree              invalid
 *     coded, but not a group of a step    invalid
 *     not coded, but beyond one group     invalid
 *     with error feedback: coded in a     invalid
 *     period's last step, or whole before
 *     vectors of the wrong length         invalid
 *     impossible time or metrics          invalid
 *     a leaf it never had                 invalid
 *     wrong number of samples             invalid
 *     a leaf it has no more, or is done   late
 *     else                                use
 */
export function judgePartial({ plan, active, worker, partial }: PartialCase): Verdict {
  const { round, leases } = active;
  const { lo, hi, samples, gradient, metrics } = partial;
  if (partial.round < round.index) return { type: 'drop' };
  if (partial.round !== round.index) {
    return invalid(`partial for round ${partial.round}, but the current one is ${round.index}`);
  }
  const misfit = (what: string): Verdict =>
    invalid(`partial [${lo}, ${hi}) of ${describeRound(round)}: ${what}`);
  if (!isTreeNode(lo, hi, round.leafCount)) {
    return misfit(`not a node of the tree over ${round.leafCount} leaves`);
  }

  const coding = findCodingMisfit(plan, active, partial);
  if (coding !== undefined) return misfit(coding);
  const gradientLength = round.task === 'step' ? plan.layout.size : 0;
  if (gradient.length !== gradientLength) {
    return misfit(`expected ${gradientLength} gradient elements, found ${gradient.length}`);
  }
  if (metrics.length !== metricsLength(plan, round)) {
    return misfit(`expected ${metricsLength(plan, round)} metrics, found ${metrics.length}`);
  }
  if (!isCountable(partial.computeMs)) return misfit(`computeMs is ${partial.computeMs}`);
  // The loss may be non-finite: that may be a failure of the run, not of the worker.
  const loss = metrics[0] ?? 0;
  if (Number.isFinite(loss) && Math.abs(loss) > samples * mostLoss) return misfit(`the loss is ${loss}`);
  const mostCounted = samples * plan.classes;
  if (!metrics.every((value, i) => i === 0 || (isCountable(value) && value <= mostCounted)))
    return misfit(`a count is negative, not finite or above ${mostCounted}`);

  const claim = leases.claim(worker, partial);
  if (claim === 'foreign') return misfit('this worker holds no lease for it');
  const expected = leases.samples(partial);
  if (samples !== expected) return misfit(`expected ${expected} samples, found ${samples}`);
  return { type: claim === 'owned' ? 'use' : 'late' };
}

/** The codec acts on whole groups, before anything is added to them. */
function findCodingMisfit(
  plan: EnginePlan,
  { round }: ActiveRound,
  { isCoded = false, lo, hi }: PartialSum,
): string | undefined {
  const groupSize = round.task === 'step' ? plan.coding?.groupSize : undefined;
  const feedback = feedbackOf(plan, round);
  if (feedback && feedback.isLast === isCoded)
    return `${isCoded ? 'coded' : 'not coded'}, but error feedback demands the other`;
  if (isCoded && (groupSize === undefined || !isGroupNode({ lo, hi }, round.leafCount, groupSize))) {
    return 'coded, but not a group of shards to be coded';
  }
  return !isCoded && hi - lo > (groupSize ?? round.leafCount)
    ? 'more than a group, but not coded'
    : undefined;
}

/** Of a sample: more than a float32 can hold. Finite sums must stay finite. */
const mostLoss = 1e40;

function isCountable(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function invalid(message: string): Verdict {
  return { type: 'invalid', message };
}
