import { allocate, free } from './heap';
import { Sample } from './convolution';
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
