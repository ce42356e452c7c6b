// The exponential and the logarithm of `packages/random/src/elementary.ts`, bit for bit: the same steps in the same order.

/** ln 2 in two pieces: an integer times the first is exact. */
const ln2High: f64 = 0.6931471804855391;
const ln2Low: f64 = 7.440617110012397e-11;
const sqrt2: f64 = 1.4142135623730951;
/** Added to an integer from 0 to 2047, it leaves the integer in the lowest bits. */
const twoTo52: f64 = 4503599627370496;

/** e to the power of two numbers that are at most 0 (or NaN). */
export function exp(x: v128): v128 {
  // x = k ln 2 + r with |r| <= 0.35, so e^x = 2^k e^r.
  const k = round(f64x2.div(x, f64x2.splat(ln2High + ln2Low)));
  const rest = f64x2.sub(x, f64x2.mul(k, f64x2.splat(ln2High)));
  const r = f64x2.sub(rest, f64x2.mul(k, f64x2.splat(ln2Low)));
  const square = f64x2.mul(f64x2.mul(r, r), expSeries(r));
  const power = f64x2.add(f64x2.splat(1), f64x2.add(r, square));
  // In two factors, since 2^k alone may underflow where the product does not.
  const half = f64x2.floor(f64x2.mul(k, f64x2.splat(0.5)));
  const scaled = f64x2.mul(f64x2.mul(power, powerOfTwo(half)), powerOfTwo(f64x2.sub(k, half)));
  return v128.andnot(scaled, f64x2.lt(x, f64x2.splat(-745.2)));
}

/** The natural logarithm of a number that is at least 1 (or NaN). */
export function log(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<u64>(x);
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  let exponent = <f64>(<i32>(bits >> 52) - 1023);
  if (mantissa >= sqrt2) {
    mantissa = mantissa / 2;
    exponent += 1;
  }
  const f = mantissa - 1;
  const s = f / (2 + f);
  const halfSquare = 0.5 * f * f;
  const square = s * s;
  const rest = square * logSeries(square);
  const correction = halfSquare - (s * (halfSquare + rest) + exponent * ln2Low);
  return exponent * ln2High - (correction - f);
}

/** To the nearest integer, halves upwards, as `Math.round`. */
function round(x: v128): v128 {
  const up = f64x2.ceil(x);
  const isUp = f64x2.le(f64x2.sub(up, f64x2.splat(0.5)), x);
  return v128.bitselect(up, f64x2.sub(up, f64x2.splat(1)), isUp);
}

/** 2^k for whole numbers from -1022 to 1023. */
function powerOfTwo(k: v128): v128 {
  return i64x2.shl(f64x2.add(k, f64x2.splat(twoTo52 + 1023)), 52);
}

/** `1/2! + x/3! + ... + x^11/13!`, by Horner's rule. */
function expSeries(x: v128): v128 {
  let sum = f64x2.splat(1.0 / 6227020800.0);
  sum = next(sum, x, 1.0 / 479001600.0);
  sum = next(sum, x, 1.0 / 39916800.0);
  sum = next(sum, x, 1.0 / 3628800.0);
  sum = next(sum, x, 1.0 / 362880.0);
  sum = next(sum, x, 1.0 / 40320.0);
  sum = next(sum, x, 1.0 / 5040.0);
  sum = next(sum, x, 1.0 / 720.0);
  sum = next(sum, x, 1.0 / 120.0);
  sum = next(sum, x, 1.0 / 24.0);
  sum = next(sum, x, 1.0 / 6.0);
  return next(sum, x, 0.5);
}

function next(sum: v128, x: v128, coefficient: f64): v128 {
  return f64x2.add(f64x2.mul(sum, x), f64x2.splat(coefficient));
}

/** `2/3 + 2x/5 + ... + 2x^10/23`. */
function logSeries(x: f64): f64 {
  let sum: f64 = 2.0 / 23.0;
  sum = sum * x + 2.0 / 21.0;
  sum = sum * x + 2.0 / 19.0;
  sum = sum * x + 2.0 / 17.0;
  sum = sum * x + 2.0 / 15.0;
  sum = sum * x + 2.0 / 13.0;
  sum = sum * x + 2.0 / 11.0;
  sum = sum * x + 2.0 / 9.0;
  sum = sum * x + 2.0 / 7.0;
  sum = sum * x + 2.0 / 5.0;
  return sum * x + 2.0 / 3.0;
}
