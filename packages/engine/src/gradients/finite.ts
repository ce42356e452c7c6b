/** Whether no element is NaN or infinite. */
export function isFiniteVector(values: Float32Array): boolean {
  // One pass without a branch: a float64 sum of float32 numbers cannot overflow, so it is finite if they are,
  // and NaN and infinity never vanish from it. Two sums, because each addition waits for the one before.
  let even = 0;
  let odd = 0;
  const last = values.length - 1;
  for (let i = 0; i < last; i += 2) {
    even += values[i]!;
    odd += values[i + 1]!;
  }
  return Number.isFinite(even + odd + (values[last] ?? 0));
}

/** Position of the first element that is NaN or infinite, -1 if there is none. */
export function firstNonFinite(values: Float32Array): number {
  return values.findIndex((value) => !Number.isFinite(value));
}
