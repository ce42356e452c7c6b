import type { ParameterLayout } from '@gradwire/engine';

/** Largest difference between two flat vectors over the largest element, of the worst tensor. */
export function relativeDifference(layout: ParameterLayout, a: Float32Array, b: Float32Array): number {
  const ofTensor = layout.parameters.map(({ offset, size }) => {
    let [difference, largest] = [0, 0];
    for (let i = offset; i < offset + size; i += 1) {
      const [x, y] = [a[i] ?? Number.NaN, b[i] ?? Number.NaN];
      if (!Number.isFinite(x) || !Number.isFinite(y)) return Number.NaN;
      difference = Math.max(difference, Math.abs(x - y));
      largest = Math.max(largest, Math.abs(x), Math.abs(y));
    }
    return difference / largest;
  });
  return Math.max(...ofTensor);
}
