import { formatCount } from '@gradwire/report';
import type { RunDifference, StepDifference, TensorDifference } from './diff-runs.ts';

/** Whether anything sets the two runs apart. */
export function isEqual({ recipe, steps, first }: RunDifference): boolean {
  return recipe.length === 0 && first === undefined && steps[0] === steps[1];
}

/** Says in sentences what sets two runs apart. */
export function describeDifference({ recipe, steps, first, tensor }: RunDifference): string[] {
  const [ours, theirs] = steps.map(formatCount);
  const common = formatCount(Math.min(...steps));
  const lines = recipe.map((each) => `the recipes differ in ${each}`);
  if (first) lines.push(describeStep(first));
  else lines.push(`no difference in ${common} steps: the same weights after each of them`);
  if (tensor) lines.push(describeTensor(tensor));
  if (steps[0] !== steps[1]) lines.push(`the one has ${ours} steps, the other ${theirs}`);
  return lines;
}

function describeStep({ step, shards, by, isComparable }: StepDifference): string {
  const where = `first difference: step ${formatCount(step)}`;
  if (shards) {
    const { lo, hi } = shards;
    const names = hi - lo === 1 ? `shard ${lo}` : `shards ${lo} to ${hi - 1}`;
    return `${where}, ${names}: other gradients from ${by?.join(' than from ') ?? ''}`;
  }
  return isComparable
    ? `${where}: equal gradients, but other weights after it: the updates differ`
    : `${where}: which shards is not known, since no worker held the same ones; gradwire replay computes one again`;
}

function describeTensor({ step, tensor, elements, size, tensors }: TensorDifference): string {
  const more = tensors > 1 ? `, and ${tensors - 1} more tensors` : '';
  return `weights kept after step ${formatCount(step)}: ${formatCount(elements)} of ${formatCount(size)} elements of ${tensor} differ${more}`;
}
