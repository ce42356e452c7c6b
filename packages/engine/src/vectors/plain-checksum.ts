/** Words of a block: four vectors a, b, c, d of four lanes each. */
const blockWords = 16;
/** Blocks after the last one: enough for a bit of any lane to reach every bit of the result. */
const closingBlocks = 16;
const factor = 0x9e37_79b1;

/** Used by one call after the other: making vectors takes longer than filling short ones. */
const lanes = new Int32Array(blockWords);
const block = new Int32Array(blockWords);
const blockValues = new Float32Array(block.buffer);
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * The checksum that `VectorMath` describes: sixteen lanes of 32 bits, all arithmetic modulo 2^32.
 *
 *     lane[k] = (k + 1) * factor                                   k = 0 .. 15, factor = 0x9e3779b1
 *     for each block of sixteen words, the last one filled up with zeros:
 *         lane[k] = rotate left by 13 of ((lane[k] ^ word[k]) * factor)
 *         lane[k] = lane[k] + lane[k + 4]                          k = 0 .. 11, in this order
 *         lane[k] = lane[k] + lane[(k + 1) mod 4]                  k = 12 .. 15
 *     sixteen blocks more, the number of words in each first word, else zeros
 *     result: lanes 0 to 3 as hexadecimal
 *
 * Each line can be undone, so two vectors of one length that differ never leave the same lanes within a block.
 */
export function checksum(values: Float32Array): string {
  const { length } = values;
  for (let k = 0; k < blockWords; k++) lanes[k] = Math.imul(k + 1, factor);
  const whole = length - (length % blockWords);
  // No view of a short vector: V8 would move it out of its heap.
  if (whole > 0) {
    const words = new Int32Array(values.buffer, values.byteOffset, whole);
    for (let at = 0; at < whole; at += blockWords) mixBlock(words, at);
  }
  if (whole < length) {
    block.fill(0);
    blockValues.set(whole === 0 ? values : values.subarray(whole));
    mixBlock(block, 0);
  }

  block.fill(0)[0] = length;
  for (let i = 0; i < closingBlocks; i++) mixBlock(block, 0);
  return hexOf(lanes[0]!) + hexOf(lanes[1]!) + hexOf(lanes[2]!) + hexOf(lanes[3]!);
}

function hexOf(lane: number): string {
  const high = hexOfByte[lane >>> 24]! + hexOfByte[(lane >>> 16) & 0xff]!;
  return high + hexOfByte[(lane >>> 8) & 0xff]! + hexOfByte[lane & 0xff]!;
}

function mixBlock(words: Int32Array, at: number): void {
  for (let k = 0; k < blockWords; k++) {
    const product = Math.imul(lanes[k]! ^ words[at + k]!, factor);
    lanes[k] = (product << 13) | (product >>> 19);
  }
  for (let k = 0; k < 12; k++) lanes[k]! += lanes[k + 4]!;
  for (let k = 12; k < blockWords; k++) lanes[k]! += lanes[(k + 1) % 4]!;
}
