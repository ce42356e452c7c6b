import { keyOf, type Answer } from './answers.ts';
import type { TreeNode } from '../tree/tree.ts';
import type { ActiveRound, Run } from './state.ts';

/** So many times the usual norm is absurd: gradients at the start of a run, and their spikes later, stay far below. */
const absurdFactor = 100;
/** How much of the largest norm is remembered from one step to the next: it fades within some hundred steps. */
const remembered = 0.99;

/**
 * Whether a gradient is far larger than those of the steps before. That proves nothing: a second worker computes it, and if
 * it finds the same bits they are used.
 */
export function isAbsurd({ usualMagnitude }: Run, { magnitude }: Answer): boolean {
  return usualMagnitude !== undefined && magnitude > absurdFactor * usualMagnitude;
}

/** In the first step that this process sees, the others of the step say what is usual: one that is counted, and absurd. */
export function findAbsurd(
  { usualMagnitude }: Run,
  { round, sum, contributions, counted, verified }: ActiveRound,
): { readonly node: TreeNode; readonly answer: Answer } | undefined {
  if (usualMagnitude !== undefined || round.task !== 'step' || !sum.root()) return undefined;
  const parts = contributions.flatMap((node) => {
    const answer = counted.get(keyOf(node));
    return answer ? [{ node, answer }] : [];
  });
  // Zeros say nothing about how large the others may be.
  const sizes = parts.map(({ answer }) => answer.magnitude).filter((size) => size > 0);
  sizes.sort((a, b) => a - b);
  const limit = absurdFactor * (sizes[(sizes.length - 1) >> 1] ?? Infinity);
  return parts.find(({ node, answer }) => answer.magnitude > limit && !verified.has(keyOf(node)));
}

/** Learns from a step that is used. */
export function noteMagnitudes(run: Run, { counted }: ActiveRound): void {
  let usual = remembered * (run.usualMagnitude ?? 0);
  for (const { magnitude } of counted.values()) usual = Math.max(usual, magnitude);
  run.usualMagnitude = usual > 0 ? usual : undefined;
}
