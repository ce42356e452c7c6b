import type { TargetSpec } from './targets.ts';

/**
 * The targets to train towards: for a multiclass task with `smoothing` s, `t (1 - s) + s / classes` (Szegedy et al.
 * 2016, "Rethinking the Inception architecture", section 7); for any other the same array.
 *
 * @param targets - as `targets()` gives them; not changed.
 *
 * @example
 * smoothTargets(new Float32Array([0, 1]), { type: 'multiclass', classes: 2, smoothing: 0.5 }); // [0.25, 0.75]
 */
export function smoothTargets(targets: Float32Array, task: TargetSpec): Float32Array {
  if (task.type !== 'multiclass' || !task.smoothing) return targets;
  const { classes, smoothing } = task;
  return targets.map((t) => t * (1 - smoothing) + smoothing / classes);
}
