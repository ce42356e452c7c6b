import { plainVectors } from '../vectors/plain-vectors.ts';
import type { VectorMath } from '../vectors/vector-math.ts';

/** What a tree node holds: sums over the samples below it. */
export interface Sums {
  readonly samples: number;
  /** Empty for an evaluation. */
  readonly gradient: Float32Array;
  readonly metrics: Float64Array;
}

/**
 * Left + right, element by element: gradients in float32, metrics in float64.
 * The result takes over the vectors of `left`; those of `right` are not needed any more.
 */
export function addSums(left: Sums, right: Sums, vectors: VectorMath = plainVectors): Sums {
  checkLength(left.gradient, right.gradient);
  checkLength(left.metrics, right.metrics);
  vectors.add(left.gradient, right.gradient);
  for (let i = 0; i < left.metrics.length; i++) left.metrics[i]! += right.metrics[i]!;
  return { samples: left.samples + right.samples, gradient: left.gradient, metrics: left.metrics };
}

function checkLength(left: ArrayLike<number>, right: ArrayLike<number>): void {
  if (left.length !== right.length) {
    throw new RangeError(`left has ${left.length} elements, right has ${right.length}`);
  }
}
