import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checksum } from './plain-checksum.ts';

/** A vector with these bit patterns. */
function vectorOf(words: readonly number[]): Float32Array {
  return new Float32Array(Uint32Array.from(words).buffer);
}

test('known values: what a ledger says must stay true', () => {
  expect(checksum(new Float32Array(0))).toBe('469151b383e161fa0196ef7d77951a75');
  expect(checksum(Float32Array.of(1, 2, 3))).toBe('3e7b37e19d58af129c63849487e5f0c9');
  expect(checksum(Float32Array.from({ length: 1000 }, (_, i) => i / 8 - 50))).toBe(
    'fc21ee9a0efbd3a30391b0805dcf0ff3',
  );
});

test('every bit of every word counts', () => {
  const words = Array.from({ length: 37 }, (_, i) => Math.imul(i, 0x1234567) >>> 0);
  const seen = new Set([checksum(vectorOf(words))]);
  for (let bit = 0; bit < 32 * words.length; bit++) {
    const flipped = words.with(bit >> 5, ((words[bit >> 5] ?? 0) ^ (1 << (bit & 31))) >>> 0);
    seen.add(checksum(vectorOf(flipped)));
  }
  expect(seen.size).toBe(1 + 32 * words.length);
});

test('one bit changes about half of the bits of the sum', () => {
  const words = Array.from({ length: 50 }, () => 0);
  const before = BigInt(`0x${checksum(vectorOf(words))}`);
  const changes = words.map((_, i) => {
    const after = BigInt(`0x${checksum(vectorOf(words.with(i, (1 << 31) >>> 0)))}`);
    return [...(before ^ after).toString(2)].filter((digit) => digit === '1').length;
  });
  expect(Math.min(...changes)).toBeGreaterThan(30);
  expect(Math.max(...changes)).toBeLessThan(98);
});

test('scenario 11, the ledger: lengths, the sign of zero and the payload of NaN count; where a vector lies does not', () => {
  const zeros = Array.from({ length: 70 }, (_, length) => checksum(new Float32Array(length)));
  expect(new Set(zeros).size).toBe(70);
  expect(checksum(Float32Array.of(-0))).not.toBe(checksum(Float32Array.of(0)));
  expect(checksum(vectorOf([0x7fc0_0001]))).not.toBe(checksum(vectorOf([0x7fc0_0000])));
  const whole = Float32Array.from({ length: 60 }, (_, i) => i);
  expect(checksum(whole.subarray(7, 41))).toBe(checksum(whole.slice(7, 41)));
});

test('two places that are exchanged change the sum', () => {
  const place = fc.nat({ max: 99 });
  fc.assert(
    fc.property(place, place, (i, j) => {
      fc.pre(i !== j);
      const words = Array.from({ length: 100 }, (_, k) => k + 1);
      const exchanged = words.with(i, j + 1).with(j, i + 1);
      expect(checksum(vectorOf(exchanged))).not.toBe(checksum(vectorOf(words)));
    }),
  );
});
