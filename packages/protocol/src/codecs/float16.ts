import { align, bitsOf, checkSize, infinityBits, rounder } from './bits.ts';
import type { VectorCodec } from './vector-codec.ts';

/** 65,520: from here on rounding would end at infinity. */
const overflowBits = 0x477f_f000;

/**
 * IEEE binary16, rounded to the nearest, ties to even: 2 bytes each.
 *
 * Error of an element: at most `2^-11 |x|` from 2^-14 to 65,504, below that at most `2^-25`. What lies above 65,504
 * becomes it. NaN loses its payload.
 */
export const float16: VectorCodec = {
  name: 'float16',
  isExact: false,
  sizes: (count) => ({ min: 2 * count, max: 2 * count }),
  encode(values) {
    const halves = new Uint16Array(values.length);
    toFloat16(values, bitsOf(values), halves);
    return new Uint8Array(halves.buffer);
  },
  decode(bytes, count) {
    checkSize(float16, bytes.length, count);
    const { buffer, byteOffset } = align(bytes, 2);
    const values = new Float32Array(count);
    fromFloat16(new Uint16Array(buffer, byteOffset, count), bitsOf(values));
    return values;
  },
};

/**
 * A float16 is the number of its own units (2^-10 of the power of two below it, at least 2^-24) plus what its exponent
 * adds to the bits; both depend on the exponent alone. Looked up, because branches on gradients are guessed wrong.
 */
const unitsPerOne: Float64Array = new Float64Array(256);
const exponentBits: Int32Array = new Int32Array(256);
for (let exponent = 0; exponent < 143; exponent++) {
  unitsPerOne[exponent] = 1 / floatOf((Math.max(exponent, 113) - 10) << 23);
  exponentBits[exponent] = Math.max(exponent - 113, 0) << 10;
}

function floatOf(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0]!;
}

function toFloat16(values: Float32Array, bits: Int32Array, halves: Uint16Array): void {
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fff_ffff;
    const sign = (bits[i]! >>> 16) & 0x8000;
    const exponent = magnitude >>> 23;
    const units = (Math.abs(values[i]!) * unitsPerOne[exponent]! + rounder - rounder) | 0;
    halves[i] = sign | (magnitude < overflowBits ? exponentBits[exponent]! + units : largeFloat16(magnitude));
  }
}

function largeFloat16(magnitude: number): number {
  if (magnitude < infinityBits) return 0x7bff;
  return magnitude === infinityBits ? 0x7c00 : 0x7e00;
}

function fromFloat16(halves: Uint16Array, bits: Int32Array): void {
  const table = float32Bits();
  for (let i = 0; i < bits.length; i++) bits[i] = table[halves[i]!]!;
}

let allFloat16: Int32Array | undefined;

/** The float32 bits of all 65,536 numbers, made when first needed: no arithmetic is as fast as looking them up. */
function float32Bits(): Int32Array {
  allFloat16 ??= Int32Array.from({ length: 65_536 }, (_, half) => widenFloat16(half));
  return allFloat16;
}

function widenFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign | bitsOf(Float32Array.of(fraction / 2 ** 24))[0]!;
  return sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
}
