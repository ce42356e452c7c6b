import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { joinFrame } from './frame.ts';
import { checkBytes, openFrame, sealFrame } from './frame-check.ts';

const pieces = [Uint8Array.of(1, 2, 3), Uint8Array.from({ length: 40 }, (_, i) => i * 7)];
const whole = joinFrame(pieces);

test('a sealed frame opens to the same bytes, however it was cut', () => {
  expect(openFrame(joinFrame(sealFrame(pieces)))).toEqual(whole);
  expect(joinFrame(sealFrame(pieces))).toEqual(joinFrame(sealFrame(whole)));
  expect(openFrame(joinFrame(sealFrame(new Uint8Array(0))))).toEqual(new Uint8Array(0));
});

test('the sum is the CRC-32 of the frame, little-endian', () => {
  const bytes = joinFrame(sealFrame(whole));
  expect(new DataView(bytes.buffer).getUint32(whole.length, true)).toBe(crc32(whole));
  expect(crc32('123456789')).toBe(0xcbf43926);
});

test('a frame that goes to many is summed once', () => {
  expect(sealFrame(pieces)).toBe(sealFrame(pieces));
});

test('every flipped bit is found, and every byte that is missing', () => {
  const bytes = joinFrame(sealFrame(pieces));
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(openFrame(damaged), `bit ${bit}`).toBeUndefined();
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(openFrame(bytes.subarray(0, length)), `${length} bytes`).toBeUndefined();
  }
  expect(checkBytes).toBe(4);
});
