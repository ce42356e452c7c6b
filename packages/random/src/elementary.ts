// JavaScript engines may differ in the last bits of Math.exp, log, sin and cos. These use only + - * / and bit
// operations, which IEEE 754 fixes, in a fixed order, and so give the same bits on every machine.

// ln 2 and pi / 2 are cut into pieces with zeros at the end, so that a small integer times a piece is exact.
const ln2High = 0.6931471804855391;
const ln2Low = 7.440617110012397e-11;
const halfPi1 = 1.5707963267341256;
const halfPi2 = 6.077100506303966e-11;
const halfPi3 = 2.0222662487959506e-21;
const maxAngle = 1_048_576;

const twoTo54 = 18014398509481984;
const minNormal = 2.2250738585072014e-308;

// Taylor coefficients, from the lowest order up; the signs of sin and cos come from a negative argument.
const expSeries = reciprocalFactorials([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
const sinSeries = reciprocalFactorials([3, 5, 7, 9, 11, 13, 15, 17]);
const cosSeries = reciprocalFactorials([4, 6, 8, 10, 12, 14, 16]);
const logSeries: readonly number[] = [3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23].map((n) => 2 / n);

const bits = new DataView(new ArrayBuffer(8));

/**
 * e to the power x, with a relative error below 2^-52 (2^-1074 absolute where the result is subnormal).
 * Infinity above 709.79, 0 below -745.2, NaN for NaN.
 */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.79) return Number.POSITIVE_INFINITY;
  if (x < -745.2) return 0;
  // x = k ln 2 + r with |r| <= 0.35, so e^x = 2^k e^r.
  const k = Math.round(x / (ln2High + ln2Low));
  const r = x - k * ln2High - k * ln2Low;
  const power = 1 + (r + r * r * polynomial(r, expSeries));
  // In two factors, since 2^k alone may overflow or underflow where the product does not.
  const half = Math.floor(k / 2);
  return power * powerOfTwo(half) * powerOfTwo(k - half);
}

/**
 * The natural logarithm of x, with a relative error below 2^-52.
 * -Infinity for 0, NaN below 0 and for NaN.
 */
export function log(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x > 0 ? x : Number.NaN;
  const { mantissa, exponent } = split(x);
  // With f = mantissa - 1 and s = f / (2 + f): ln(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R(s^2))),
  // a form in which f is exact and all else a small correction (the one that fdlibm uses).
  const f = mantissa - 1;
  const s = f / (2 + f);
  const halfSquare = 0.5 * f * f;
  const square = s * s;
  const rest = square * polynomial(square, logSeries);
  const correction = halfSquare - (s * (halfSquare + rest) + exponent * ln2Low);
  return exponent * ln2High - (correction - f);
}

/**
 * The sine of x radians, with an absolute error below 2^-52.
 * @param x - From -2^20 to 2^20, else `RangeError`.
 */
export function sin(x: number): number {
  const { quadrant, rest } = reduceAngle(x);
  const value = quadrant % 2 === 0 ? sinNearZero(rest) : cosNearZero(rest);
  return quadrant < 2 ? value : -value;
}

/**
 * The cosine of x radians, with an absolute error below 2^-52.
 * @param x - From -2^20 to 2^20, else `RangeError`.
 */
export function cos(x: number): number {
  const { quadrant, rest } = reduceAngle(x);
  const value = quadrant % 2 === 0 ? cosNearZero(rest) : sinNearZero(rest);
  return quadrant === 0 || quadrant === 3 ? value : -value;
}

/** x = (4 m + quadrant) pi/2 + rest for some integer m, with |rest| at most pi/4. */
function reduceAngle(x: number): { quadrant: number; rest: number } {
  if (!(Math.abs(x) <= maxAngle)) throw new RangeError(`x must be from -2^20 to 2^20, got ${x}`);
  const turns = Math.round(x / (halfPi1 + halfPi2));
  const rest = x - turns * halfPi1 - turns * halfPi2 - turns * halfPi3;
  return { quadrant: turns & 3, rest };
}

function sinNearZero(x: number): number {
  const square = -x * x;
  return x + x * square * polynomial(square, sinSeries);
}

function cosNearZero(x: number): number {
  const square = -x * x;
  return 1 + (0.5 * square + square * square * polynomial(square, cosSeries));
}

/** x = mantissa 2^exponent, with the mantissa between sqrt(1/2) and sqrt(2); x is positive and finite. */
function split(x: number): { mantissa: number; exponent: number } {
  const subnormal = x < minNormal;
  bits.setFloat64(0, subnormal ? x * twoTo54 : x);
  const head = bits.getUint32(0);
  bits.setUint32(0, (head & 0x000fffff) | 0x3ff00000);
  const mantissa = bits.getFloat64(0);
  const exponent = (head >>> 20) - 1023 - (subnormal ? 54 : 0);
  return mantissa < Math.SQRT2 ? { mantissa, exponent } : { mantissa: mantissa / 2, exponent: exponent + 1 };
}

/** 2^k for k from -1022 to 1023. */
function powerOfTwo(k: number): number {
  bits.setUint32(0, (k + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/** Horner's rule; coefficients from the lowest order up. */
function polynomial(x: number, coefficients: readonly number[]): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + (coefficients[i] as number);
  return sum;
}

/** 1/n! for each n; the factorials up to 18! are exact doubles. */
function reciprocalFactorials(orders: readonly number[]): readonly number[] {
  return orders.map((order) => {
    let factorial = 1;
    for (let n = 2; n <= order; n++) factorial *= n;
    return 1 / factorial;
  });
}
