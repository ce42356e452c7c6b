/** `[rows x columns]` to `[columns x rows]`, in blocks of 4 x 4; strides in bytes. */
export function transpose(
  from: usize,
  rows: i32,
  columns: i32,
  fromStride: i32,
  to: usize,
  toStride: i32,
): void {
  const wholeRows = rows & ~3,
    wholeColumns = columns & ~3;
  for (let row = 0; row < wholeRows; row += 4) {
    for (let column = 0; column < wholeColumns; column += 4) {
      transposeBlock(
        from + row * fromStride + (column << 2),
        fromStride,
        to + column * toStride + (row << 2),
        toStride,
      );
    }
    transposeElements(from, row, row + 4, wholeColumns, columns, fromStride, to, toStride);
  }
  transposeElements(from, wholeRows, rows, 0, columns, fromStride, to, toStride);
}

function transposeElements(
  from: usize,
  firstRow: i32,
  lastRow: i32,
  firstColumn: i32,
  lastColumn: i32,
  fromStride: i32,
  to: usize,
  toStride: i32,
): void {
  for (let row = firstRow; row < lastRow; row++) {
    for (let column = firstColumn; column < lastColumn; column++) {
      store<f32>(to + column * toStride + (row << 2), load<f32>(from + row * fromStride + (column << 2)));
    }
  }
}

function transposeBlock(from: usize, fromStride: i32, to: usize, toStride: i32): void {
  const r0 = v128.load(from),
    r1 = v128.load(from + fromStride);
  const r2 = v128.load(from + 2 * fromStride),
    r3 = v128.load(from + 3 * fromStride);
  const low01 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5),
    high01 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  const low23 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5),
    high23 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(low01, low23, 0, 2));
  v128.store(to + toStride, v128.shuffle<i64>(low01, low23, 1, 3));
  v128.store(to + 2 * toStride, v128.shuffle<i64>(high01, high23, 0, 2));
  v128.store(to + 3 * toStride, v128.shuffle<i64>(high01, high23, 1, 3));
}
