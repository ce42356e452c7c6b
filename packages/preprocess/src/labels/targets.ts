/** What {@link targets} needs of a task; `TaskSpec` of `@gradwire/models` fits. */
export type TargetSpec =
  | { readonly type: 'multiclass'; readonly classes: number; readonly smoothing?: number }
  | { readonly type: 'multilabel'; readonly classes: number }
  | { readonly type: 'binary'; readonly positive: readonly number[] };

/**
 * One row of `classes` values for each label: 1 at the label, 0 elsewhere.
 *
 * @throws RangeError if a label is not below `classes`.
 *
 * @example
 * oneHot(new Uint8Array([2, 0]), 3); // [0, 0, 1, 1, 0, 0]
 */
export function oneHot(labels: Uint8Array, classes: number): Float32Array {
  const out = new Float32Array(labels.length * classes);
  for (const [row, label] of labels.entries()) {
    if (label >= classes)
      throw new RangeError(`labels[${row}]: expected a class below ${classes}, found ${label}`);
    out[row * classes + label] = 1;
  }
  return out;
}

/**
 * The network's targets, `[labels.length x outputs]` row-major: one-hot rows, or for a binary task one value a
 * sample, 1 if its label is among `positive`. Not smoothed: that is for training alone, see `smoothTargets`.
 *
 * @throws RangeError if a label is not below the number of classes.
 */
export function targets(labels: Uint8Array, task: TargetSpec): Float32Array {
  if (task.type !== 'binary') return oneHot(labels, task.classes);
  return Float32Array.from(labels, (label) => (task.positive.includes(label) ? 1 : 0));
}
