/** Position of the first element that is NaN or infinite, -1 if there is none. */
export function firstNonFinite(values: Float32Array): number {
  return values.findIndex((value) => !Number.isFinite(value));
}
