import { align, bitsOf, checkSize, infinityBits } from './bits.ts';
import type { VectorCodec } from './vector-codec.ts';

/** From here on rounding would end at infinity. */
const overflowBits = 0x7f7f_8000;

/**
 * The upper half of each float32, rounded to the nearest, ties to even: 2 bytes each.
 *
 * Error of an element: at most `2^-8 |x|`, for numbers below the normal range at most `2^-134`. What lies above the
 * largest number, 3.3895e38, becomes it. NaN loses its payload.
 */
export const bfloat16: VectorCodec = {
  name: 'bfloat16',
  isExact: false,
  sizes: (count) => ({ min: 2 * count, max: 2 * count }),
  encode(values) {
    const halves = new Uint16Array(values.length);
    toBfloat16(bitsOf(values), halves);
    return new Uint8Array(halves.buffer);
  },
  decode(bytes, count) {
    checkSize(bfloat16, bytes.length, count);
    const { buffer, byteOffset } = align(bytes, 2);
    const values = new Float32Array(count);
    fromBfloat16(new Uint16Array(buffer, byteOffset, count), bitsOf(values));
    return values;
  },
};

function toBfloat16(bits: Int32Array, halves: Uint16Array): void {
  for (let i = 0; i < bits.length; i++) halves[i] = roundToBfloat16(bits[i]!);
}

function fromBfloat16(halves: Uint16Array, bits: Int32Array): void {
  for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
}

/** The bfloat16 (in the lower 16 bits) that is nearest to the float32 with these bits. */
export function roundToBfloat16(bits: number): number {
  if ((bits & 0x7fff_ffff) < overflowBits) return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  return ((bits >>> 16) & 0x8000) | largeBfloat16(bits & 0x7fff_ffff);
}

function largeBfloat16(magnitude: number): number {
  if (magnitude < infinityBits) return 0x7f7f;
  return magnitude === infinityBits ? 0x7f80 : 0x7fc0;
}
