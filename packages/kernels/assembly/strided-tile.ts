// Tiles of 4 x 8 sums, as in `tile.ts`, of matrices whose rows lie behind each other.

/**
 * Rows that lie behind each other times a panel of 8 columns, as `multiplyTile` does with four of them: short rows leave no time for a
 * call each. Their number counts as the next multiple of 4.
 *
 * @param outStep - bytes from a row's 8 products to the next one's.
 */
export function multiplyRows(
  x: usize,
  rowBytes: i32,
  count: i32,
  panel: usize,
  out: usize,
  outStep: i32,
): void {
  for (; count > 0; count -= 4, x += 3 * rowBytes, out += outStep << 2) {
    let a0 = f32x4.splat(0),
      a1 = a0,
      b0 = a0,
      b1 = a0,
      c0 = a0,
      c1 = a0,
      d0 = a0,
      d1 = a0;
    let w = panel;
    for (const end = x + rowBytes; x < end; x += 4, w += 32) {
      const w0 = v128.load(w),
        w1 = v128.load(w, 16);
      let v = v128.load32_splat(x);
      a0 = f32x4.add(a0, f32x4.mul(v, w0));
      a1 = f32x4.add(a1, f32x4.mul(v, w1));
      v = v128.load32_splat(x + rowBytes);
      b0 = f32x4.add(b0, f32x4.mul(v, w0));
      b1 = f32x4.add(b1, f32x4.mul(v, w1));
      v = v128.load32_splat(x + 2 * rowBytes);
      c0 = f32x4.add(c0, f32x4.mul(v, w0));
      c1 = f32x4.add(c1, f32x4.mul(v, w1));
      v = v128.load32_splat(x + 3 * rowBytes);
      d0 = f32x4.add(d0, f32x4.mul(v, w0));
      d1 = f32x4.add(d1, f32x4.mul(v, w1));
    }
    storeEight(out, a0, a1);
    storeEight(out + outStep, b0, b1);
    storeEight(out + 2 * outStep, c0, c1);
    storeEight(out + 3 * outStep, d0, d1);
  }
}

function storeEight(out: usize, low: v128, high: v128): void {
  v128.store(out, low);
  v128.store(out, high, 16);
}

/**
 * Adds to `sums`, `[columns of x / 4][columns of d / 8][4 x 8]`, the products of each column of x with each of d over `count` rows.
 *
 * @param xBytes, dBytes - of a row. If that of d ends inside of a tile, what lies behind it has its sums too.
 */
export function addOuterProducts(
  count: i32,
  x: usize,
  xBytes: i32,
  d: usize,
  dBytes: i32,
  sums: usize,
): void {
  for (let i = 0; i < xBytes; i += 16) {
    for (let o = 0; o < dBytes; o += 32, sums += 128) addTile(count, x + i, xBytes, d + o, dBytes, sums);
  }
}

function addTile(count: i32, x: usize, xStep: i32, d: usize, dStep: i32, sums: usize): void {
  let a0 = f32x4.splat(0),
    a1 = a0,
    b0 = a0,
    b1 = a0,
    c0 = a0,
    c1 = a0,
    d0 = a0,
    d1 = a0;
  for (; count > 0; count--, x += xStep, d += dStep) {
    const w0 = v128.load(d),
      w1 = v128.load(d, 16);
    let v = v128.load32_splat(x);
    a0 = f32x4.add(a0, f32x4.mul(v, w0));
    a1 = f32x4.add(a1, f32x4.mul(v, w1));
    v = v128.load32_splat(x, 4);
    b0 = f32x4.add(b0, f32x4.mul(v, w0));
    b1 = f32x4.add(b1, f32x4.mul(v, w1));
    v = v128.load32_splat(x, 8);
    c0 = f32x4.add(c0, f32x4.mul(v, w0));
    c1 = f32x4.add(c1, f32x4.mul(v, w1));
    v = v128.load32_splat(x, 12);
    d0 = f32x4.add(d0, f32x4.mul(v, w0));
    d1 = f32x4.add(d1, f32x4.mul(v, w1));
  }
  v128.store(sums, f32x4.add(v128.load(sums), a0));
  v128.store(sums, f32x4.add(v128.load(sums, 16), a1), 16);
  v128.store(sums, f32x4.add(v128.load(sums, 32), b0), 32);
  v128.store(sums, f32x4.add(v128.load(sums, 48), b1), 48);
  v128.store(sums, f32x4.add(v128.load(sums, 64), c0), 64);
  v128.store(sums, f32x4.add(v128.load(sums, 80), c1), 80);
  v128.store(sums, f32x4.add(v128.load(sums, 96), d0), 96);
  v128.store(sums, f32x4.add(v128.load(sums, 112), d1), 112);
}
