import { formatCount } from '@gradwire/report';
import type { RunDifference, StepDifference, TensorDifference } from './diff-runs.ts';

/** What a comparison says of two runs: `unproven` where nothing differs, but not everything could be compared. */
export type Verdict = 'equal' | 'different' | 'unproven';

/** How two runs are compared. */
export interface CompareOptions {
  /** Whether the first run ended before its last step, so that the other one may go on where it has no more steps. */
  readonly isCutShort?: boolean;
}

/** What follows from a comparison. */
export function verdictOf(
  { recipe, steps, common, faults, first }: RunDifference,
  { isCutShort = false }: CompareOptions = {},
): Verdict {
  if (recipe.length > 0 || first) return 'different';
  if (faults.length > 0 || common === 0) return 'unproven';
  const [ours, theirs] = steps;
  if (isCutShort ? ours > theirs : ours !== theirs) return 'different';
  return common === ours ? 'equal' : 'unproven';
}

/** Says in sentences what sets two runs apart. */
export function describeDifference(
  { recipe, steps, common, faults, first, tensor }: RunDifference,
  { isCutShort = false }: CompareOptions = {},
): string[] {
  const [ours, theirs] = steps.map(formatCount);
  const lines = [...describeFaults(faults), ...recipe.map((each) => `the recipes differ in ${each}`)];
  if (first) lines.push(describeStep(first));
  else if (common === 0) lines.push('no step is in both ledgers: nothing was compared');
  else lines.push(`no difference in ${formatCount(common)} steps: the same weights after each of them`);
  if (first?.isAfterGap)
    lines.push('it may have begun earlier: the ledgers do not both have every step before it');
  if (tensor) lines.push(describeTensor(tensor));
  if (isCutShort && steps[0] < steps[1])
    lines.push(
      `the one did not finish and ends after ${ours} steps: the other's ${theirs} are compared up to there`,
    );
  else if (steps[0] !== steps[1]) lines.push(`the one has ${ours} steps, the other ${theirs}`);
  return lines;
}

function describeFaults(faults: readonly string[]): string[] {
  const most = 10;
  const more = faults.length > most ? [`… and ${formatCount(faults.length - most)} more`] : [];
  return [...faults.slice(0, most), ...more];
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
    : `${where}: which shards is not known, since no worker held the same ones`;
}

function describeTensor({ step, tensor, elements, size, tensors }: TensorDifference): string {
  const more = tensors > 1 ? `, and ${tensors - 1} more tensors` : '';
  return `weights kept after step ${formatCount(step)}: ${formatCount(elements)} of ${formatCount(size)} elements of ${tensor} differ${more}`;
}
