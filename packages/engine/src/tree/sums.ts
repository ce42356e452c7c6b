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
export function addSums(left: Sums, right: Sums): Sums {
  checkLength(left.gradient, right.gradient);
  checkLength(left.metrics, right.metrics);
  addFloat32(left.gradient, right.gradient);
  addFloat64(left.metrics, right.metrics);
  return { samples: left.samples + right.samples, gradient: left.gradient, metrics: left.metrics };
}

// The store into a Float32Array rounds once, which makes this exact float32 addition:
// a float64 sum of two float32 numbers has enough bits that rounding it again changes nothing.
function addFloat32(target: Float32Array, other: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += other[i]!;
}

// Its own function: a loop that has seen both types of vector runs at half the speed.
function addFloat64(target: Float64Array, other: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += other[i]!;
}

function checkLength(left: ArrayLike<number>, right: ArrayLike<number>): void {
  if (left.length !== right.length) {
    throw new RangeError(`left has ${left.length} elements, right has ${right.length}`);
  }
}
