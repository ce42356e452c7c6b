import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cos, exp, log, sin } from './index.ts';

// The reference: numbers as integers times 2^-precision, with 250 correct digits where a double has 16.
const precision = 1200n;
const one = 1n << precision;
const ln2 = 2n * oddPowers(one / 3n, 1n);
const pi = 16n * oddPowers(one / 5n, -1n) - 4n * oddPowers(one / 239n, -1n);

/** x + x^3/3 + x^5/5 + ... (atanh), or with alternating signs (atan). */
function oddPowers(x: bigint, sign: 1n | -1n): bigint {
  const square = (x * x) >> precision;
  let power = x;
  let sum = 0n;
  for (let n = 1n; power !== 0n && power !== -1n; n += 2n) {
    sum += power / n;
    power = (sign * power * square) >> precision;
  }
  return sum;
}

/** 1 + x + x^2/2! + ..., or its even or odd terms with alternating signs. */
function factorialSeries(x: bigint, kind: 'exp' | 'cos' | 'sin'): bigint {
  let term = one;
  let sum = 0n;
  for (let n = 0n; term !== 0n && term !== -1n; term = ((term * x) >> precision) / ++n) {
    const sign = n % 4n < 2n ? 1n : -1n;
    if (kind === 'exp') sum += term;
    else if (n % 2n === (kind === 'cos' ? 0n : 1n)) sum += sign * term;
  }
  return sum;
}

/** The exact value of a double times 2^precision. */
function exact(x: number): bigint {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setFloat64(0, x);
  const word = bytes.getBigUint64(0);
  const field = (word >> 52n) & 0x7ffn;
  const fraction = (word & 0xfffffffffffffn) | (field === 0n ? 0n : 1n << 52n);
  const magnitude = fraction << (precision - 1074n + (field === 0n ? 0n : field - 1n));
  return word >> 63n === 1n ? -magnitude : magnitude;
}

function absolute(x: bigint): bigint {
  return x < 0n ? -x : x;
}

/** |actual - expected| / unit as a double. */
function ratio(actual: bigint, expected: bigint, unit: bigint): number {
  return Number((absolute(actual - expected) << 80n) / unit) / 2 ** 80;
}

function referenceExp(x: number): bigint {
  const scaled = exact(x);
  const k = scaled / ln2;
  const power = factorialSeries(scaled - k * ln2, 'exp');
  return k < 0n ? power >> -k : power << k;
}

function referenceLog(x: number): bigint {
  let mantissa = exact(x);
  let exponent = 0n;
  for (; mantissa >= 2n * one; mantissa >>= 1n) exponent++;
  for (; mantissa < one; mantissa <<= 1n) exponent--;
  return exponent * ln2 + 2n * oddPowers(((mantissa - one) << precision) / (mantissa + one), 1n);
}

function referenceTurn(x: number, kind: 'cos' | 'sin'): bigint {
  return factorialSeries(exact(x) % (2n * pi), kind);
}

const bound = 2 ** -52;
const settings = { seed: 4, numRuns: 3000 };

function real(min: number, max: number): fc.Arbitrary<number> {
  // Both evenly spread numbers and fast-check's doubles, which favour extreme exponents.
  return fc.oneof(
    fc.double({ min, max, noNaN: true }),
    fc.integer({ min: 0, max: 2 ** 40 }).map((n) => min + (max - min) * (n / 2 ** 40)),
  );
}

test('the reference knows e, ln 10 and sin 1', () => {
  expect(ratio(referenceExp(1), exact(Math.E), one)).toBeLessThan(bound);
  expect(ratio(referenceLog(10), exact(Math.LN10), one)).toBeLessThan(bound);
  expect(ratio(referenceTurn(-1, 'sin'), exact(-0.8414709848078965), one)).toBeLessThan(bound);
});

test('exp has a relative error below 2^-52', () => {
  fc.assert(
    fc.property(real(-708.3, 709.78), (x) => {
      const expected = referenceExp(x);
      expect(ratio(exact(exp(x)), expected, expected)).toBeLessThan(bound);
    }),
    settings,
  );
});

test('exp has an absolute error of at most 2^-1074 where it is subnormal', () => {
  fc.assert(
    fc.property(real(-746, -708.4), (x) => {
      expect(ratio(exact(exp(x)), referenceExp(x), 1n << (precision - 1074n))).toBeLessThanOrEqual(1);
    }),
    settings,
  );
});

test('log has a relative error below 2^-52', () => {
  const positive = fc.oneof(
    fc.double({ min: Number.MIN_VALUE, noNaN: true }),
    real(0.4, 3),
    real(0.999, 1.001),
  );
  fc.assert(
    fc.property(
      positive.filter((x) => x !== 1 && x < 2 ** 1000),
      (x) => {
        const expected = referenceLog(x);
        expect(ratio(exact(log(x)), expected, absolute(expected))).toBeLessThan(bound);
      },
    ),
    settings,
  );
});

test.each([
  ['sin', sin],
  ['cos', cos],
] as const)('%s has an absolute error below 2^-52', (kind, turn) => {
  fc.assert(
    fc.property(fc.oneof(real(-7, 7), real(-(2 ** 20), 2 ** 20)), (x) => {
      expect(ratio(exact(turn(x)), referenceTurn(x, kind), one)).toBeLessThan(bound);
    }),
    settings,
  );
});

test('cos falls from 1 to -1 on [0, pi]', () => {
  const values = Array.from({ length: 1001 }, (_, i) => cos((Math.PI * i) / 1000));
  expect(values[0]).toBe(1);
  expect(values[1000]).toBe(-1);
  expect(values.every((value, i) => i === 0 || value < (values[i - 1] ?? 0))).toBe(true);
});

test('values at the edges', () => {
  expect([exp(0), exp(-Infinity), exp(Infinity), exp(710), exp(-746)]).toEqual([1, 0, Infinity, Infinity, 0]);
  expect([log(1), log(0), log(Infinity)]).toEqual([0, -Infinity, Infinity]);
  expect([exp(NaN), log(NaN), log(-1)]).toEqual([NaN, NaN, NaN]);
  expect(exp(Number.MIN_VALUE)).toBe(1);
});

test('angles without a useful result are refused', () => {
  for (const x of [2 ** 20 + 1, -Infinity, NaN]) expect(() => sin(x)).toThrow(`got ${x}`);
});

test('the bits are fixed for ever', () => {
  // Written down once; a change here changes published results.
  expect([exp(1), exp(-20.5)]).toEqual([2.7182818284590455, 1.2501528663867428e-9]);
  expect([log(5), log(1e-300)]).toEqual([1.6094379124341003, -690.7755278982137]);
  expect([sin(1), sin(-1000)]).toEqual([0.8414709848078965, -0.8268795405320026]);
  expect([cos(3), cos(1e6)]).toEqual([-0.9899924966004454, 0.9367521275331447]);
});
