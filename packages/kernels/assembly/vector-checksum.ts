const factor = 0x9e3779b1;

/**
 * Mixes words into the sixteen lanes of a checksum; formula in packages/engine, vectors/plain-checksum.ts.
 *
 * @param count A multiple of 16.
 * @param lanes 64 bytes.
 */
export function mixWords(words: usize, count: i32, lanes: usize): void {
  let a = v128.load(lanes);
  let b = v128.load(lanes, 16);
  let c = v128.load(lanes, 32);
  let d = v128.load(lanes, 48);
  for (let at = words; at < words + ((<usize>count) << 2); at += 64) {
    a = i32x4.add(mix(a, v128.load(at)), (b = mix(b, v128.load(at, 16))));
    b = i32x4.add(b, (c = mix(c, v128.load(at, 32))));
    c = i32x4.add(c, (d = mix(d, v128.load(at, 48))));
    d = i32x4.add(d, v128.shuffle<i32>(a, a, 1, 2, 3, 0));
  }
  v128.store(lanes, a);
  v128.store(lanes, b, 16);
  v128.store(lanes, c, 32);
  v128.store(lanes, d, 48);
}

function mix(lanes: v128, words: v128): v128 {
  const product = i32x4.mul(v128.xor(lanes, words), i32x4.splat(factor));
  return v128.or(i32x4.shl(product, 13), i32x4.shr_u(product, 19));
}
