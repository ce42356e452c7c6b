import { invalidMessage } from '../invalid-message.ts';
import { align, bitsOf, checkSize, infinityBits, rounder } from './bits.ts';
import type { VectorCodec } from './vector-codec.ts';

/** Elements that share a scale. */
const blockSize = 256;
/** Code of an element that is not finite. */
const notFinite = -128;
/** 2.679e36: the largest scale that stays finite when multiplied by 127. */
const largestScaleBits = 0x7c01_0203;

/**
 * A float32 scale for each block of 256 elements, then a signed byte for each element: 1.016 bytes each. The scale is
 * the largest magnitude of the block over 127, rounded up; the byte is the element over the scale, rounded to the
 * nearest, ties to even. -128 stands for an element that is not finite and comes back as NaN.
 *
 * Error of an element: at most 0.5001 of its block's scale, so 0.4 % of the largest magnitude in the block.
 */
export const int8: VectorCodec = {
  name: 'int8',
  isExact: false,
  sizes: (count) => ({ min: 4 * blocksOf(count) + count, max: 4 * blocksOf(count) + count }),
  encode(values) {
    const bytes = new Uint8Array(4 * blocksOf(values.length) + values.length);
    const { scales, codes } = partsOf(bytes, values.length);
    storeScales(bitsOf(values), scales);
    storeCodes(values, scales, codes);
    return bytes;
  },
  decode(bytes, count) {
    checkSize(int8, bytes.length, count);
    const { scales, codes } = partsOf(align(bytes, 4), count);
    const wrong = scales.findIndex((scale) => !(scale >= 0 && scale < Infinity));
    if (wrong >= 0) throw invalidMessage(`int8: the scale of block ${wrong} is ${scales[wrong]}`);
    const values = new Float32Array(count);
    readCodes(codes, scales, values);
    return values;
  },
};

function blocksOf(count: number): number {
  return Math.ceil(count / blockSize);
}

function partsOf(
  { buffer, byteOffset }: Uint8Array,
  count: number,
): { scales: Float32Array; codes: Int8Array } {
  const blocks = blocksOf(count);
  return {
    scales: new Float32Array(buffer, byteOffset, blocks),
    codes: new Int8Array(buffer, byteOffset + 4 * blocks, count),
  };
}

/** Stores for each block the smallest scale with which 127 reaches the largest finite magnitude. */
function storeScales(bits: Int32Array, scales: Float32Array): void {
  const scaleBits = bitsOf(scales);
  for (let block = 0; block < scales.length; block++) {
    const start = block * blockSize;
    scaleBits[block] = largestFinite(bits, start, Math.min(start + blockSize, bits.length));
    const largest = scales[block]!;
    scales[block] = largest / 127;
    // The product is exact in float64.
    if (scales[block]! * 127 < largest) scaleBits[block]!++;
    scaleBits[block] = Math.min(scaleBits[block]!, largestScaleBits);
  }
}

/** Magnitude bits of the largest finite element: bits of positive numbers are ordered as the numbers are. */
function largestFinite(bits: Int32Array, start: number, end: number): number {
  let largest = 0;
  for (let i = start; i < end; i++) {
    const magnitude = bits[i]! & 0x7fff_ffff;
    if (magnitude > largest && magnitude < infinityBits) largest = magnitude;
  }
  return largest;
}

function storeCodes(values: Float32Array, scales: Float32Array, codes: Int8Array): void {
  for (let block = 0; block < scales.length; block++) {
    const inverse = scales[block] === 0 ? 0 : 1 / scales[block]!;
    const end = Math.min((block + 1) * blockSize, values.length);
    for (let i = block * blockSize; i < end; i++) {
      const code = values[i]! * inverse;
      codes[i] = Math.abs(code) < 128 ? code + rounder - rounder : notFinite;
    }
  }
}

/** What each code stands for in units of the scale, at code + 128: a branch in the loop would cost ten times as much. */
const units: Float32Array = Float32Array.from({ length: 256 }, (_, i) => (i === 0 ? Number.NaN : i - 128));

function readCodes(codes: Int8Array, scales: Float32Array, values: Float32Array): void {
  for (let block = 0; block < scales.length; block++) {
    const scale = scales[block]!;
    const end = Math.min((block + 1) * blockSize, values.length);
    for (let i = block * blockSize; i < end; i++) values[i] = units[codes[i]! + 128]! * scale;
  }
}
