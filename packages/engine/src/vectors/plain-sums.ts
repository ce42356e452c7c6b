import type { Span } from './vector-math.ts';

// The store into a Float32Array rounds once, which makes this exact float32 addition:
// a float64 sum of two float32 numbers has enough bits that rounding it again changes nothing.
export function add(target: Float32Array, other: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += other[i]!;
}

export function scale(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! *= factor;
}

export function isFinite(values: Float32Array): boolean {
  return isFiniteSpan(values, { start: 0, end: values.length });
}

export function isFiniteSpan(values: Float32Array, { start, end }: Span): boolean {
  // One pass without a branch: a float64 sum of float32 numbers cannot overflow, so it is finite if they are,
  // and NaN and infinity never vanish from it. Two sums, because each addition waits for the one before.
  let even = 0;
  let odd = 0;
  const last = end - 1;
  for (let i = start; i < last; i += 2) {
    even += values[i]!;
    odd += values[i + 1]!;
  }
  return Number.isFinite(even + odd + (start < end ? values[last]! : 0));
}

export function average(
  gradient: Float32Array,
  weights: Float32Array,
  { start, end, samples, l2 }: Span & { readonly samples: number; readonly l2: number },
): number {
  for (let i = start; i < end; i++) gradient[i]! /= samples;
  if (l2 !== 0) for (let i = start; i < end; i++) gradient[i]! += l2 * weights[i]!;
  return sumSquares(gradient, { start, end });
}

/** Eight lanes: a single sum would make each addition wait for the one before. */
export function sumSquares(values: Float32Array, { start, end }: Span): number {
  const whole = end - ((end - start) % 8);
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = start; i < whole; i += 8) {
    a += values[i]! * values[i]!;
    b += values[i + 1]! * values[i + 1]!;
    c += values[i + 2]! * values[i + 2]!;
    d += values[i + 3]! * values[i + 3]!;
    e += values[i + 4]! * values[i + 4]!;
    f += values[i + 5]! * values[i + 5]!;
    g += values[i + 6]! * values[i + 6]!;
    h += values[i + 7]! * values[i + 7]!;
  }
  const lanes = [a, b, c, d, e, f, g, h];
  for (let i = whole; i < end; i++) lanes[i - whole]! += values[i]! * values[i]!;
  return addLanes(lanes);
}

/** ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). */
export function addLanes(lanes: ArrayLike<number>): number {
  const pair = (first: number): number => lanes[first]! + lanes[first + 1]!;
  return pair(0) + pair(2) + (pair(4) + pair(6));
}
