const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
// Added to the key after each round: the golden ratio and sqrt(3) - 1, as 32-bit fractions.
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const rounds = 10;

/**
 * The Philox 4x32-10 block function: turns a 128-bit counter and a 64-bit key into four random words.
 * A pure function: equal arguments give equal words on every machine, and any block can be computed alone.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), section 4.3.
 *
 * @param counter - Four words; each is taken modulo 2^32.
 * @param key - Two words; each is taken modulo 2^32.
 * @returns Four unsigned 32-bit words.
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Uint32Array {
  const block = Uint32Array.from(counter);
  philoxInPlace(block, key[0], key[1]);
  return block;
}

/** Replaces the counter in `block` (four words) by its random words, without allocating. */
export function philoxInPlace(block: Uint32Array, key0: number, key1: number): void {
  let [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = block;
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, c0);
    const low0 = Math.imul(multiplier0, c0);
    const high1 = multiplyHigh(multiplier1, c2);
    const low1 = Math.imul(multiplier1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
}

/** The upper 32 bits of a 32 x 32-bit product, from 16-bit halves, which doubles multiply exactly. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) | 0;
}
