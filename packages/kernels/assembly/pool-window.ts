/** The index of an output that relu cut off: no gradient passes it. */
const cutOff: i32 = 4;

/**
 * Pools the four pixels of a window, in row order, for 4 channels: the largest, with bias and relu, and which of them it
 * was. Equal values count for the first. Only `width` channels are stored if that is less than 4.
 */
export function poolHalf(
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  bias: usize,
  relu: bool,
  y: usize,
  index: usize,
  width: i32,
): void {
  // `pmax(p, q)` is q where it is larger than p: one instruction, where `max` and `bitselect` are several.
  const upper = f32x4.pmax(a, b),
    three = f32x4.pmax(upper, c);
  let best = f32x4.pmax(three, d);
  let place = v128.and(i32x4.splat(1), f32x4.gt(b, a));
  place = i32x4.max_s(place, v128.and(i32x4.splat(2), f32x4.gt(c, upper)));
  place = i32x4.max_s(place, v128.and(i32x4.splat(3), f32x4.gt(d, three)));
  best = f32x4.add(best, v128.load(bias));
  if (relu) {
    best = f32x4.pmax(best, f32x4.splat(0));
    place = i32x4.max_s(place, v128.andnot(i32x4.splat(cutOff), f32x4.gt(best, f32x4.splat(0))));
  }
  const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(place, place), place);
  if (width >= 4) {
    v128.store(y, best);
    v128.store32_lane(index, bytes, 0);
    return;
  }
  v128.store32_lane(y, best, 0);
  v128.store8_lane(index, bytes, 0);
  if (width > 1) {
    v128.store32_lane(y, best, 1, 4);
    v128.store8_lane(index, bytes, 1, 1);
  }
  if (width > 2) {
    v128.store32_lane(y, best, 2, 8);
    v128.store8_lane(index, bytes, 2, 2);
  }
}

/** Stores 4 channels of a pixel with bias and relu; only `width` of them if that is less than 4. */
export function storeHalf(sums: v128, bias: usize, relu: bool, y: usize, width: i32): void {
  let out = f32x4.add(sums, v128.load(bias));
  if (relu) out = f32x4.max(out, f32x4.splat(0));
  if (width >= 4) {
    v128.store(y, out);
    return;
  }
  v128.store32_lane(y, out, 0);
  if (width > 1) v128.store32_lane(y, out, 1, 4);
  if (width > 2) v128.store32_lane(y, out, 2, 8);
}
