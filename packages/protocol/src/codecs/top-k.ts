import { invalidMessage } from '../invalid-message.ts';
import { align, bitsOf, checkSize } from './bits.ts';
import { roundToBfloat16 } from './bfloat16.ts';
import type { VectorCodec } from './vector-codec.ts';

/** Most bytes of a gap: 28 bits, enough for the largest model. */
const maxGapBytes = 4;

/**
 * The share of elements with the largest magnitudes, as bfloat16; the others are left out and come back as 0. Of equal
 * magnitudes the first ones are taken; zeros never are; what is not finite counts as larger than everything.
 *
 * Bytes: the number `k` of elements as an unsigned 32-bit integer; `k` values of 2 bytes; then for each the number of
 * elements skipped before it as a LEB128 integer (7 bits a byte, lowest first, the top bit set on all but the last, as
 * few as possible). At a share of 1 % that is about 3.3 bytes for each element that is sent.
 *
 * Error of an element: at most `2^-8 |x| + 2^-134` if it is sent, else `|x|`, and then at least `k` others are as large.
 *
 * @param share Of the elements that are sent, at most: above 0, up to 0.5. `ceil(share * count)` elements.
 * @throws RangeError if `share` is out of range.
 */
export function createTopK(share: number): VectorCodec {
  if (!(share > 0 && share <= 0.5))
    throw new RangeError(`share: expected above 0, up to 0.5, found ${share}`);
  const codec: VectorCodec = {
    name: 'top-k',
    isExact: false,
    sizes: (count) => ({ min: 4, max: 4 + 3 * count + Math.ceil(count / 64) }),
    encode(values) {
      const bits = bitsOf(values);
      return encodeLargest(bits, findThreshold(bits, Math.ceil(share * values.length)));
    },
    decode(bytes, count) {
      checkSize(codec, bytes.length, count);
      return decodeSparse(bytes, count);
    },
  };
  return codec;
}

/** Which elements are sent: those with a magnitude above `bits`, and the first `ties` of those that have it. */
interface Threshold {
  readonly bits: number;
  readonly ties: number;
  /** Elements sent in all. */
  readonly k: number;
}

/** Two passes of a radix selection: the upper 15 bits of the k-th largest magnitude, then the lower 16. */
function findThreshold(bits: Int32Array, wanted: number): Threshold {
  const upper = new Uint32Array(2 ** 15);
  for (let i = 0; i < bits.length; i++) upper[(bits[i]! & 0x7fff_ffff) >>> 16]!++;
  const high = findBin(upper, wanted);
  const lower = new Uint32Array(2 ** 16);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & 0x7fff_ffff) >>> 16 === high.bin) lower[bits[i]! & 0xffff]!++;
  }
  const low = findBin(lower, wanted - high.above);
  const above = high.above + low.above;
  const threshold = (high.bin << 16) | low.bin;
  return threshold === 0
    ? { bits: 0, ties: 0, k: above }
    : { bits: threshold, ties: wanted - above, k: wanted };
}

/** The bin that holds the `wanted`-th largest, and how many lie above it. */
function findBin(bins: Uint32Array, wanted: number): { readonly bin: number; readonly above: number } {
  let above = 0;
  let bin = bins.length - 1;
  while (bin > 0 && above + bins[bin]! < wanted) above += bins[bin--]!;
  return { bin, above };
}

function encodeLargest(bits: Int32Array, { bits: threshold, ties, k }: Threshold): Uint8Array {
  const bytes = new Uint8Array(4 + (2 + maxGapBytes) * k);
  new DataView(bytes.buffer).setUint32(0, k, true);
  const values = new Uint16Array(bytes.buffer, 4, k);
  let gapStart = 4 + 2 * k;
  let sent = 0;
  let tiesLeft = ties;
  let next = 0;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fff_ffff;
    if (magnitude < threshold || (magnitude === threshold && tiesLeft-- <= 0)) continue;
    values[sent++] = roundToBfloat16(bits[i]!);
    gapStart = writeGap(bytes, gapStart, i - next);
    next = i + 1;
  }
  return bytes.subarray(0, gapStart);
}

function writeGap(bytes: Uint8Array, at: number, gap: number): number {
  let left = gap;
  let position = at;
  while (left > 127) {
    bytes[position++] = left | 128;
    left >>>= 7;
  }
  bytes[position++] = left;
  return position;
}

function decodeSparse(bytes: Uint8Array, count: number): Float32Array {
  const k = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const gapStart = 4 + 2 * k;
  if (k > count || bytes.length < gapStart)
    throw invalidMessage(`top-k: ${k} of ${count} elements in ${bytes.length} bytes`);
  const { buffer, byteOffset } = align(bytes, 2);
  const halves = new Uint16Array(buffer, byteOffset + 4, k);
  const values = new Float32Array(count);
  const bits = bitsOf(values);
  let position = gapStart;
  let index = -1;
  for (let i = 0; i < k; i++) {
    let gap = 0;
    let shift = 0;
    let byte = 128;
    while (byte > 127) {
      if (position === bytes.length || shift === 7 * maxGapBytes)
        throw invalidMessage(`top-k: gap ${i} has no end`);
      byte = bytes[position++]!;
      gap |= (byte & 127) << shift;
      shift += 7;
    }
    if (byte === 0 && shift > 7) throw invalidMessage(`top-k: gap ${i} is longer than need be`);
    index += gap + 1;
    if (index >= count) throw invalidMessage(`top-k: element ${index} of ${count}`);
    bits[index] = halves[i]! << 16;
  }
  if (position !== bytes.length)
    throw invalidMessage(`top-k: ${bytes.length - position} bytes after the last gap`);
  return values;
}
