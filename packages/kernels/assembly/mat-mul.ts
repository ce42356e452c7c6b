import { allocate, free } from './heap';
import { Sample } from './convolution';
import { addTo } from './elementwise';
import { multiplyTile, packPanels, panelBytes } from './tile';
import { transpose } from './transpose';

/** Rows of B that are used at a time: 256 x 8 elements of it stay in the first-level cache. */
const depth: i32 = 256;

/**
 * `c[m x n] = a b`, each operand row-major; `transposeA`: a is stored `[k x m]`; `transposeB`: b is stored `[n x k]`.
 * A sum over k is made of sums over 256 neighbours, added in order.
 */
export function matMul(
  a: usize,
  b: usize,
  c: usize,
  m: i32,
  k: i32,
  n: i32,
  transposeA: bool,
  transposeB: bool,
): void {
  const run = changetype<Sample>(allocate(offsetof<Sample>()));
  run.rows = 1;
  run.columns = 1;
  const tile = allocate(128);
  const panels = allocate(panelBytes(min(k, depth), n));
  const rows = transposeA ? allocate((min(k, depth) * m) << 2) : 0;
  if (k == 0) memory.fill(c, 0, (m * n) << 2);
  for (let from = 0; from < k; from += depth) {
    const size = min(depth, k - from);
    if (transposeB) packTransposed(b + (from << 2), k << 2, size, n, panels);
    else packPanels(b + ((from * n) << 2), n << 2, size, n, panels);
    if (transposeA) transpose(a + ((from * m) << 2), size, m, m << 2, rows, size << 2);
    const left = transposeA ? rows : a + (from << 2);
    run.runBytes = size << 2;
    multiplyPanels(run, left, (transposeA ? size : k) << 2, panels, tile, c, m, n, from > 0);
  }
  free(changetype<usize>(run));
  free(tile);
  free(panels);
  if (rows) free(rows);
}

function multiplyPanels(
  run: Sample,
  a: usize,
  stride: i32,
  panels: usize,
  tile: usize,
  c: usize,
  m: i32,
  n: i32,
  add: bool,
): void {
  for (let column = 0; column < n; column += 8, panels += run.runBytes << 3) {
    const width = min(8, n - column);
    for (let row = 0; row < m; row += 4) {
      const p = a + row * stride;
      const height = min(4, m - row);
      const p1 = height > 1 ? p + stride : p,
        p2 = height > 2 ? p1 + stride : p;
      multiplyTile(run, panels, p, p1, p2, height > 3 ? p2 + stride : p, tile);
      storeTile(tile, c + ((row * n + column) << 2), n << 2, height, width, add);
    }
  }
}

/**
 * `c[m x n] = a' b` with a `[k x m]` and b `[k x n]`, whose rows are divided in parts: the product of each part, added as the
 * halves of a balanced tree. Nothing but their sum is stored.
 *
 * @param sizes - rows of each part, 32-bit, at most 256 each: then a part's product has the bits of `matMul`.
 * @param count - of the parts; a power of two.
 */
export function sumOfProducts(a: usize, b: usize, c: usize, m: i32, n: i32, sizes: usize, count: i32): void {
  let k = 0;
  for (let part = 0; part < count; part++) k += load<i32>(sizes + (part << 2));
  const run = changetype<Sample>(allocate(offsetof<Sample>()));
  run.rows = 1;
  run.columns = 1;
  const tiles = allocate(count << 7);
  const panels = allocate(panelBytes(k, n));
  const rows = allocate((k * m) << 2);
  packPanels(b, n << 2, k, n, panels);
  transpose(a, k, m, m << 2, rows, k << 2);
  const stride = k << 2;
  for (let column = 0, panel = panels; column < n; column += 8, panel += k << 5) {
    for (let row = 0; row < m; row += 4) {
      multiplyParts(run, panel, rows + row * stride, stride, min(4, m - row), sizes, count, tiles);
      storeTile(tiles, c + ((row * n + column) << 2), n << 2, min(4, m - row), min(8, n - column), false);
    }
  }
  free(changetype<usize>(run));
  free(tiles);
  free(panels);
  free(rows);
}

/** The sum of the parts' tiles, in the first one. */
function multiplyParts(
  run: Sample,
  panel: usize,
  p: usize,
  stride: i32,
  height: i32,
  sizes: usize,
  count: i32,
  tiles: usize,
): void {
  let p1 = height > 1 ? p + stride : p,
    p2 = height > 2 ? p1 + stride : p,
    p3 = height > 3 ? p2 + stride : p;
  for (let part = 0; part < count; part++) {
    const size = load<i32>(sizes + (part << 2));
    run.runBytes = size << 2;
    multiplyTile(run, panel, p, p1, p2, p3, tiles + (part << 7));
    panel += size << 5;
    p += size << 2;
    p1 += size << 2;
    p2 += size << 2;
    p3 += size << 2;
  }
  for (let half = 1; half < count; half <<= 1) {
    for (let i = 0; i < count; i += half << 1) addTo(tiles + (i << 7), tiles + ((i + half) << 7), 32);
  }
}

/** Stores `rows x width` of a tile, or adds it to what is there. */
export function storeTile(tile: usize, c: usize, stride: i32, rows: i32, width: i32, add: bool): void {
  for (let row = 0; row < rows; row++, tile += 32, c += stride) {
    if (width == 8) {
      let y0 = v128.load(tile),
        y1 = v128.load(tile, 16);
      if (add) {
        y0 = f32x4.add(v128.load(c), y0);
        y1 = f32x4.add(v128.load(c, 16), y1);
      }
      v128.store(c, y0);
      v128.store(c, y1, 16);
      continue;
    }
    for (let i = 0; i < width << 2; i += 4) {
      const y = load<f32>(tile + i);
      store<f32>(c + i, add ? load<f32>(c + i) + y : y);
    }
  }
}

/** As `packPanels`, of a matrix that is stored transposed: `[columns x rows]`, `stride` bytes from a column to the next. */
function packTransposed(matrix: usize, stride: i32, rows: i32, columns: i32, panels: usize): void {
  for (let column = 0; column < columns; column += 8, panels += rows << 5) {
    const width = min(8, columns - column);
    if (width < 8) memory.fill(panels, 0, rows << 5);
    transpose(matrix + column * stride, width, rows, stride, panels, 32);
  }
}
