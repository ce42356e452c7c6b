// Losses of logits, and their gradients by the logits, in double precision. Sums run in the order of the elements, as in
// `packages/models/src/task/loss.ts`, whose bits these are.
import { allocate, free } from './heap';
import { exp, log } from './elementary';

/**
 * Sums over the rows `sum_k t_k (logsumexp(x) - x_k)`.
 *
 * @param loss - gets the sum, a double.
 */
export function softmaxCrossEntropy(
  logits: usize,
  targets: usize,
  rows: i32,
  columns: i32,
  loss: usize,
  dLogits: usize,
): void {
  const powers = allocate((columns + 1) << 3);
  let sum: f64 = 0;
  for (let row = 0; row < rows; row++) {
    sum += softmaxRow(logits, targets, columns, powers, dLogits);
    logits += columns << 2;
    targets += columns << 2;
    dLogits += columns << 2;
  }
  store<f64>(loss, sum);
  free(powers);
}

function softmaxRow(x: usize, targets: usize, columns: i32, powers: usize, dx: usize): f64 {
  const largest = maximum(x, columns);
  let total: f64 = 0,
    targetSum: f64 = 0;
  for (let i = 0; i < columns; i += 2) {
    const power = exp(f64x2.sub(loadPair(x + (i << 2), columns - i), f64x2.splat(largest)));
    v128.store(powers + (i << 3), power);
    total += f64x2.extract_lane(power, 0);
    if (i + 1 < columns) total += f64x2.extract_lane(power, 1);
  }
  const logTotal = largest + log(total);
  for (let i = 0; i < columns; i++) targetSum += load<f32>(targets + (i << 2));
  let loss: f64 = 0;
  for (let i = 0; i < columns; i += 2) {
    const at: usize = i << 2;
    const t = loadPair(targets + at, columns - i);
    const share = f64x2.div(v128.load(powers + (at << 1)), f64x2.splat(total));
    storePair(dx + at, f64x2.sub(f64x2.mul(share, f64x2.splat(targetSum)), t), columns - i);
    const terms = f64x2.mul(t, f64x2.sub(f64x2.splat(logTotal), loadPair(x + at, columns - i)));
    loss += f64x2.extract_lane(terms, 0);
    if (i + 1 < columns) loss += f64x2.extract_lane(terms, 1);
  }
  return loss;
}

function maximum(x: usize, count: i32): f64 {
  let largest: f32 = -Infinity;
  for (let i = 0; i < count; i++) largest = max<f32>(largest, load<f32>(x + (i << 2)));
  return largest;
}

/** Sums over the rows the mean over the columns of `max(x, 0) - x t + log(1 + e^-|x|)`. */
export function sigmoidCrossEntropy(
  logits: usize,
  targets: usize,
  rows: i32,
  columns: i32,
  loss: usize,
  dLogits: usize,
): void {
  let sum: f64 = 0;
  for (let row = 0; row < rows; row++) {
    let rowSum: f64 = 0;
    for (let i = 0; i < columns; i += 2) {
      const at: usize = i << 2;
      const x = loadPair(logits + at, columns - i),
        t = loadPair(targets + at, columns - i);
      const power = exp(f64x2.neg(f64x2.abs(x)));
      const whole = f64x2.add(f64x2.splat(1), power);
      const upper = v128.bitselect(f64x2.splat(1), power, f64x2.ge(x, f64x2.splat(0)));
      const difference = f64x2.sub(f64x2.div(upper, whole), t);
      storePair(dLogits + at, f64x2.div(difference, f64x2.splat(columns)), columns - i);
      const linear = f64x2.sub(f64x2.max(x, f64x2.splat(0)), f64x2.mul(x, t));
      rowSum += f64x2.extract_lane(linear, 0) + log(f64x2.extract_lane(whole, 0));
      if (i + 1 < columns) rowSum += f64x2.extract_lane(linear, 1) + log(f64x2.extract_lane(whole, 1));
    }
    sum += rowSum / columns;
    logits += columns << 2;
    targets += columns << 2;
    dLogits += columns << 2;
  }
  store<f64>(loss, sum);
}

/** Two floats as doubles, or one and a zero if there is just one left. */
function loadPair(address: usize, left: i32): v128 {
  return f64x2.promote_low_f32x4(left > 1 ? v128.load64_zero(address) : v128.load32_zero(address));
}

function storePair(address: usize, values: v128, left: i32): void {
  const floats = f32x4.demote_f64x2_zero(values);
  if (left > 1) v128.store64_lane(address, floats, 0);
  else v128.store32_lane(address, floats, 0);
}
