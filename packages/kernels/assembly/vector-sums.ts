import { load2, store2 } from './vector-lanes';

// Addresses are multiples of 4. Except in `isFinite`, up to 7 elements past `count` are read and written: blocks have
// room for them.

/** `target += other`, in float32. */
export function add(target: usize, other: usize, count: i32): void {
  for (let i: usize = 0; i < (<usize>count) << 2; i += 16) {
    v128.store(target + i, f32x4.add(v128.load(target + i), v128.load(other + i)));
  }
}

/** `values *= factor`. */
export function scale(values: usize, count: i32, factor: f64): void {
  const factors = f64x2.splat(factor);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 8) {
    store2(values + i, f64x2.mul(load2(values + i), factors));
  }
}

/** Whether no element has all bits of the exponent set: those are NaN and the infinities. */
export function isFinite(values: usize, count: i32): bool {
  const magnitude = i32x4.splat(0x7fffffff);
  const whole = (<usize>(count & ~3)) << 2;
  let largest = i32x4.splat(0);
  for (let i: usize = 0; i < whole; i += 16) {
    largest = i32x4.max_u(largest, v128.and(v128.load(values + i), magnitude));
  }
  for (let i = whole; i < (<usize>count) << 2; i += 4) {
    largest = i32x4.max_u(largest, v128.and(v128.load32_zero(values + i), magnitude));
  }
  return !v128.any_true(i32x4.ge_u(largest, i32x4.splat(0x7f800000)));
}

/**
 * `gradient = gradient / samples + l2 * weights`, and adds the squares to the eight float64 sums at `lanes`.
 * A float32 quotient has the bits of a float64 one that is rounded.
 */
export function average(
  gradient: usize,
  weights: usize,
  count: i32,
  samples: f32,
  l2: f64,
  lanes: usize,
): void {
  const divisors = f32x4.splat(samples);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 32) {
    const g = gradient + i;
    v128.store(g, f32x4.div(v128.load(g), divisors));
    v128.store(g, f32x4.div(v128.load(g, 16), divisors), 16);
    if (l2 != 0) addPenalty(g, weights + i, l2);
  }
  addSquares(gradient, count, lanes);
}

/** Adds the squares to the eight float64 sums at `lanes`. What lies behind the last element becomes 0, not to count. */
export function addSquares(values: usize, count: i32, lanes: usize): void {
  memory.fill(values + ((<usize>count) << 2), 0, 28);
  let lanes01 = v128.load(lanes);
  let lanes23 = v128.load(lanes, 16);
  let lanes45 = v128.load(lanes, 32);
  let lanes67 = v128.load(lanes, 48);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 32) {
    lanes01 = f64x2.add(lanes01, square(load2(values + i)));
    lanes23 = f64x2.add(lanes23, square(load2(values + i + 8)));
    lanes45 = f64x2.add(lanes45, square(load2(values + i + 16)));
    lanes67 = f64x2.add(lanes67, square(load2(values + i + 24)));
  }
  v128.store(lanes, lanes01);
  v128.store(lanes, lanes23, 16);
  v128.store(lanes, lanes45, 32);
  v128.store(lanes, lanes67, 48);
}

/** Adds `l2 * weights` to eight elements. */
function addPenalty(gradient: usize, weights: usize, l2: f64): void {
  const factors = f64x2.splat(l2);
  for (let i: usize = 0; i < 32; i += 8) {
    store2(gradient + i, f64x2.add(load2(gradient + i), f64x2.mul(factors, load2(weights + i))));
  }
}

function square(x: v128): v128 {
  return f64x2.mul(x, x);
}
