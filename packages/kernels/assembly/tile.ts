import { Sample } from './convolution';

/** Columns of a panel: two vectors. */
export const panelColumns: i32 = 8;

/**
 * The heart of forward passes and matrix products: 4 rows of the left operand times a panel of 8 columns of the right
 * one, kept in registers (8 sums, 2 panel vectors, 1 element: what a processor with 16 vector registers holds). A row is
 * read in the runs that `s` describes, from the addresses `p0` to `p3`; `out` gets 4 x 8 floats.
 *
 * The inner loop is not unrolled: unrolled it is 1.3 to 1.7 times slower in V8.
 */
export function multiplyTile(
  s: Sample,
  panel: usize,
  p0: usize,
  p1: usize,
  p2: usize,
  p3: usize,
  out: usize,
): void {
  let a0 = f32x4.splat(0),
    a1 = a0,
    b0 = a0,
    b1 = a0,
    c0 = a0,
    c1 = a0,
    d0 = a0,
    d1 = a0;
  const runBytes = s.runBytes,
    columnStep = s.runColumnStep,
    rowStep = s.runRowStep;
  const columns = s.columns;
  for (let row = s.rows; row > 0; row--) {
    let offset: usize = 0;
    for (let column = columns; column > 0; column--) {
      for (let i = offset, end = offset + runBytes; i < end; i += 4) {
        const w0 = v128.load(panel),
          w1 = v128.load(panel, 16);
        let x = v128.load32_splat(p0 + i);
        a0 = f32x4.add(a0, f32x4.mul(x, w0));
        a1 = f32x4.add(a1, f32x4.mul(x, w1));
        x = v128.load32_splat(p1 + i);
        b0 = f32x4.add(b0, f32x4.mul(x, w0));
        b1 = f32x4.add(b1, f32x4.mul(x, w1));
        x = v128.load32_splat(p2 + i);
        c0 = f32x4.add(c0, f32x4.mul(x, w0));
        c1 = f32x4.add(c1, f32x4.mul(x, w1));
        x = v128.load32_splat(p3 + i);
        d0 = f32x4.add(d0, f32x4.mul(x, w0));
        d1 = f32x4.add(d1, f32x4.mul(x, w1));
        panel += 32;
      }
      offset += columnStep;
    }
    p0 += rowStep;
    p1 += rowStep;
    p2 += rowStep;
    p3 += rowStep;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, b0, 32);
  v128.store(out, b1, 48);
  v128.store(out, c0, 64);
  v128.store(out, c1, 80);
  v128.store(out, d0, 96);
  v128.store(out, d1, 112);
}

/**
 * Packs a matrix `[rows x columns]` in panels of 8 columns, `[panel][row][8]`, the last filled up with zeros.
 *
 * @param stride - bytes from one row to the next.
 */
export function packPanels(matrix: usize, stride: i32, rows: i32, columns: i32, panels: usize): void {
  for (let column = 0; column < columns; column += panelColumns) {
    const width = min(columns - column, panelColumns);
    let from = matrix + (column << 2);
    for (let row = 0; row < rows; row++, from += stride, panels += 32) {
      if (width == panelColumns) {
        v128.store(panels, v128.load(from));
        v128.store(panels, v128.load(from, 16), 16);
        continue;
      }
      v128.store(panels, f32x4.splat(0));
      v128.store(panels, f32x4.splat(0), 16);
      memory.copy(panels, from, width << 2);
    }
  }
}

/** Bytes of a matrix packed by {@link packPanels}. */
export function panelBytes(rows: i32, columns: i32): i32 {
  return rows * ((columns + 7) >> 3) * 32;
}
