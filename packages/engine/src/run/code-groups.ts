import { isGroupNode } from '../tree/tree.ts';
import type { EnginePlan, Round } from '../events.ts';
import type { Sums } from '../tree/sums.ts';
import type { SummedNode } from '../tree/tree-sum.ts';

/** Sums whose gradient may have come in the plan's lossy codec. */
export interface CodedSums extends Sums {
  readonly isCoded?: boolean;
}

/**
 * Applies the plan's codec to the sum over each group, unless its sender has done so. A worker that holds a whole group
 * codes it; a group that several workers hold arrives in parts, exact, and is coded here: the bits are the same.
 */
export function codeGroups(
  { coding }: EnginePlan,
  { task, leafCount }: Round,
): (node: SummedNode<CodedSums>) => CodedSums {
  // With error feedback what is kept decides the code, and the sender alone has that.
  if (!coding || coding.feedbackSteps !== undefined || task !== 'step') return ({ value }) => value;
  return (node) => {
    const { value } = node;
    if (value.isCoded || !isGroupNode(node, leafCount, coding.groupSize)) return value;
    return { ...value, gradient: coding.code(value.gradient), isCoded: true };
  };
}
