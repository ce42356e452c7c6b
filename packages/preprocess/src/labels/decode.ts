import type { TargetSpec } from './targets.ts';

/** One answer for one sample. */
export interface DecodedLabel {
  readonly label: string;
  /** Class index. */
  readonly index: number;
  /** In [0, 1]. */
  readonly probability: number;
}

/**
 * The most probable labels of each sample, best first; equal probabilities keep the order of the classes.
 *
 * @param probabilities - `[samples x classNames.length]`, row-major.
 * @param options - `top`: answers a sample, default 1.
 * @throws RangeError if the probabilities are no whole number of rows.
 *
 * @example
 * decodeProbabilities(new Float32Array([0.25, 0.75]), ['cat', 'dog']);
 * // [[{ label: 'dog', index: 1, probability: 0.75 }]]
 */
export function decodeProbabilities(
  probabilities: Float32Array,
  classNames: readonly string[],
  options: { readonly top?: number } = {},
): DecodedLabel[][] {
  const classes = classNames.length;
  if (classes === 0 || probabilities.length % classes !== 0) {
    throw new RangeError(
      `probabilities: ${probabilities.length} values are no whole rows of ${classes} classes`,
    );
  }
  return Array.from({ length: probabilities.length / classes }, (_, row) =>
    classNames
      .map((label, index) => ({ label, index, probability: probabilities[row * classes + index] as number }))
      .sort((a, b) => b.probability - a.probability || a.index - b.index)
      .slice(0, options.top ?? 1),
  );
}

/**
 * Rows `[1 - p, p]` from a binary network's single probability `p`, so that {@link decodeProbabilities} reads them
 * like any other.
 */
export function binaryRows(probabilities: Float32Array): Float32Array {
  return Float32Array.from({ length: 2 * probabilities.length }, (_, i) => {
    const p = probabilities[i >> 1] as number;
    return i % 2 === 0 ? 1 - p : p;
  });
}

/**
 * Names of a task's answers: the classes, or for a binary task two names such as `['not 7', '7']`.
 *
 * @example
 * answerNames(['0', '1', '2'], { type: 'binary', positive: [0, 2] }); // ['not 0 or 2', '0 or 2']
 */
export function answerNames(classNames: readonly string[], task: TargetSpec): string[] {
  if (task.type !== 'binary') return [...classNames];
  const positive = task.positive.map((index) => classNames[index] ?? `class ${index}`).join(' or ');
  return [`not ${positive}`, positive];
}
