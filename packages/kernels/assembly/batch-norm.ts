// Batch normalisation over the last axis (Ioffe and Szegedy, 2015). Column sums are in double precision, rows in order; what
// is done to each element is in single precision. What a column's mean loses when it becomes a float goes into the
// constants, so that a mean far above the deviation costs no digits.
import { allocate, allocateZeros, free } from './heap';

/** Rows that are summed at a time: they stay in the first-level cache while one vector of columns after the other is read. */
const blockRows: i32 = 16;

/**
 * A matrix seen as rows of whole vectors: four rows count as one where the columns are no multiple of 4. What is left
 * over at the end starts at the first column.
 */
@unmanaged
class Rows {
  columns: i32;
  /** Columns of a row: `columns` or four times as many. */
  width: i32;
  count: i32;
  /** Elements that are left over. */
  rest: i32;
}

function createRows(rows: i32, columns: i32): Rows {
  const r = changetype<Rows>(allocate(offsetof<Rows>()));
  r.columns = columns;
  r.width = columns & 3 ? columns << 2 : columns;
  r.count = (rows * columns) / r.width;
  r.rest = rows * columns - r.count * r.width;
  return r;
}

/**
 * Normalises with the mean and the (biased) variance of the columns, which are stored; then scale, offset, and relu if
 * asked for. At least one row.
 */
export function batchNorm(
  x: usize,
  rows: i32,
  columns: i32,
  scale: usize,
  offset: usize,
  epsilon: f64,
  relu: bool,
  y: usize,
  mean: usize,
  variance: usize,
): void {
  const r = createRows(rows, columns);
  const terms = allocate(3 * (r.width << 2));
  const sums = allocateZeros(2 * (r.width << 3));
  // Shifted by the first row, which costs no digits and gives a column of equal numbers a variance of exactly 0.
  for (let c = 0; c < columns; c++) setTerm(r, terms, 0, c, load<f32>(x + (c << 2)));
  sumMoments(r, x, terms, sums);
  for (let c = 0; c < columns; c++) {
    const at: usize = c << 2;
    const shift = columnSum(r, sums, 0, c) / rows;
    const spread = max<f64>(0, columnSum(r, sums, 1, c) / rows - shift * shift);
    const center = load<f32>(x + at) + shift;
    setScaling(r, terms, c, center, load<f32>(scale + at) / sqrt(spread + epsilon), load<f32>(offset + at));
    store<f32>(mean + at, <f32>center);
    store<f32>(variance + at, <f32>spread);
  }
  normalise(r, x, terms, relu, y);
  free(sums);
  free(terms);
  free(changetype<usize>(r));
}

/** As {@link batchNorm}, with mean and variance given; scale and offset may be 0, for 1 and 0. */
export function applyBatchNorm(
  x: usize,
  rows: i32,
  columns: i32,
  scale: usize,
  offset: usize,
  epsilon: f64,
  relu: bool,
  y: usize,
  mean: usize,
  variance: usize,
): void {
  const r = createRows(rows, columns);
  const terms = allocate(3 * (r.width << 2));
  for (let c = 0; c < columns; c++) {
    const at: usize = c << 2;
    const factor: f64 = (scale ? load<f32>(scale + at) : 1) / sqrt(<f64>load<f32>(variance + at) + epsilon);
    setScaling(r, terms, c, load<f32>(mean + at), factor, offset ? load<f32>(offset + at) : 0);
  }
  normalise(r, x, terms, relu, y);
  free(terms);
  free(changetype<usize>(r));
}

/**
 * Gradients of {@link batchNorm}.
 *
 * @param y - what it gave if it applied relu: no gradient passes where this is 0. Else 0.
 */
export function batchNormGradients(
  x: usize,
  y: usize,
  dy: usize,
  rows: i32,
  columns: i32,
  scale: usize,
  mean: usize,
  variance: usize,
  epsilon: f64,
  dx: usize,
  dScale: usize,
  dOffset: usize,
): void {
  const r = createRows(rows, columns);
  const terms = allocate(4 * (r.width << 2));
  const sums = allocateZeros(3 * (r.width << 3));
  for (let c = 0; c < columns; c++) setTerm(r, terms, 0, c, load<f32>(mean + (c << 2)));
  sumGradients(r, x, y, dy, terms, sums);
  for (let c = 0; c < columns; c++) {
    const at: usize = c << 2;
    const sum = columnSum(r, sums, 0, c);
    // What the mean lost when it became a float.
    const lost = columnSum(r, sums, 2, c) / rows;
    const inverse = 1 / sqrt(<f64>load<f32>(variance + at) + epsilon);
    const product = (columnSum(r, sums, 1, c) - lost * sum) * inverse;
    // dx = factor (dy - sum / rows - (x - mean) slope)
    const factor = load<f32>(scale + at) * inverse;
    const slope = (product * inverse) / rows;
    setTerm(r, terms, 1, c, factor);
    setTerm(r, terms, 2, c, factor * slope);
    setTerm(r, terms, 3, c, factor * (lost * slope - sum / rows));
    store<f32>(dScale + at, <f32>product);
    store<f32>(dOffset + at, <f32>sum);
  }
  differentiate(r, x, y, dy, terms, dx);
  free(sums);
  free(terms);
  free(changetype<usize>(r));
}

/** The terms of `(x - center) factor + offset`. */
function setScaling(r: Rows, terms: usize, column: i32, center: f64, factor: f64, offset: f64): void {
  const lost = center - <f32>center;
  setTerm(r, terms, 0, column, center);
  setTerm(r, terms, 1, column, factor);
  setTerm(r, terms, 2, column, offset - lost * factor);
}

/** Sets a column's term of a kind, wherever the column is in the row. */
function setTerm(r: Rows, terms: usize, kind: i32, column: i32, value: f64): void {
  for (let i = column; i < r.width; i += r.columns)
    store<f32>(terms + ((kind * r.width + i) << 2), <f32>value);
}

/** The sum of a kind for a column, of all its places in the row. */
function columnSum(r: Rows, sums: usize, kind: i32, column: i32): f64 {
  let sum: f64 = 0;
  for (let i = column; i < r.width; i += r.columns) sum += load<f64>(sums + ((kind * r.width + i) << 3));
  return sum;
}

/** Adds to the sums of the first kind `x - center`, to those of the second kind its square. */
function sumMoments(r: Rows, x: usize, centers: usize, sums: usize): void {
  const squares = sums + (r.width << 3);
  const rowBytes: usize = r.width << 2;
  for (let left = r.count; left > 0; left -= blockRows) {
    const rows = min(left, blockRows),
      bytes: usize = rows * (r.width << 2);
    for (let i: usize = 0; i < rowBytes; i += 16) {
      addMoments(x + i, rows, rowBytes, centers + i, sums + 2 * i, squares + 2 * i);
    }
    x += bytes;
  }
  for (let i: usize = 0; i < <usize>(r.rest << 2); i += 4) {
    const d = <f64>load<f32>(x + i) - load<f32>(centers + i);
    add(sums + 2 * i, d);
    add(squares + 2 * i, d * d);
  }
}

function add(sum: usize, value: f64): void {
  store<f64>(sum, load<f64>(sum) + value);
}

function addMoments(x: usize, rows: i32, step: usize, center: usize, sum: usize, square: usize): void {
  const c0 = low(v128.load(center)),
    c1 = high(v128.load(center));
  let s0 = v128.load(sum),
    s1 = v128.load(sum, 16),
    q0 = v128.load(square),
    q1 = v128.load(square, 16);
  for (; rows > 0; rows--, x += step) {
    const v = v128.load(x);
    const d0 = f64x2.sub(low(v), c0),
      d1 = f64x2.sub(high(v), c1);
    s0 = f64x2.add(s0, d0);
    s1 = f64x2.add(s1, d1);
    q0 = f64x2.add(q0, f64x2.mul(d0, d0));
    q1 = f64x2.add(q1, f64x2.mul(d1, d1));
  }
  v128.store(sum, s0);
  v128.store(sum, s1, 16);
  v128.store(square, q0);
  v128.store(square, q1, 16);
}

/** The first two floats of a vector as doubles. */
function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** The last two. */
function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
}

/** Sums of dy (where y is above 0, if y is given), of its products with `x - center`, and of `x - center`. */
function sumGradients(r: Rows, x: usize, y: usize, dy: usize, centers: usize, sums: usize): void {
  const kind: usize = r.width << 3;
  const rowBytes: usize = r.width << 2;
  for (let left = r.count; left > 0; left -= blockRows) {
    const rows = min(left, blockRows),
      bytes: usize = rows * (r.width << 2);
    for (let i: usize = 0; i < rowBytes; i += 16) {
      addGradients(x + i, y ? y + i : 0, dy + i, rows, rowBytes, centers + i, sums + 2 * i, kind);
    }
    x += bytes;
    dy += bytes;
    if (y) y += bytes;
  }
  for (let i: usize = 0; i < <usize>(r.rest << 2); i += 4) {
    const d = <f64>load<f32>(x + i) - load<f32>(centers + i);
    const gradient: f64 = y && !(load<f32>(y + i) > 0) ? 0 : load<f32>(dy + i);
    add(sums + 2 * i, gradient);
    add(sums + kind + 2 * i, gradient * d);
    add(sums + 2 * kind + 2 * i, d);
  }
}

function addGradients(
  x: usize,
  y: usize,
  dy: usize,
  rows: i32,
  step: usize,
  center: usize,
  sum: usize,
  kind: usize,
): void {
  const c0 = low(v128.load(center)),
    c1 = high(v128.load(center));
  const product = sum + kind,
    rest = product + kind;
  let s0 = v128.load(sum),
    s1 = v128.load(sum, 16),
    p0 = v128.load(product),
    p1 = v128.load(product, 16),
    r0 = v128.load(rest),
    r1 = v128.load(rest, 16);
  for (; rows > 0; rows--, x += step, dy += step) {
    const v = v128.load(x);
    let g = v128.load(dy);
    if (y) {
      g = v128.and(g, f32x4.gt(v128.load(y), f32x4.splat(0)));
      y += step;
    }
    const d0 = f64x2.sub(low(v), c0),
      d1 = f64x2.sub(high(v), c1);
    const g0 = low(g),
      g1 = high(g);
    s0 = f64x2.add(s0, g0);
    s1 = f64x2.add(s1, g1);
    p0 = f64x2.add(p0, f64x2.mul(g0, d0));
    p1 = f64x2.add(p1, f64x2.mul(g1, d1));
    r0 = f64x2.add(r0, d0);
    r1 = f64x2.add(r1, d1);
  }
  v128.store(sum, s0);
  v128.store(sum, s1, 16);
  v128.store(product, p0);
  v128.store(product, p1, 16);
  v128.store(rest, r0);
  v128.store(rest, r1, 16);
}

/** `y = (x - center) factor + offset`, and relu if asked for. */
function normalise(r: Rows, x: usize, terms: usize, relu: bool, y: usize): void {
  const rowBytes: usize = r.width << 2;
  const factors = terms + rowBytes,
    offsets = factors + rowBytes;
  const least: f32 = relu ? 0 : -Infinity;
  for (let row = 0; row < r.count; row++, x += rowBytes, y += rowBytes) {
    for (let i: usize = 0; i < rowBytes; i += 16) {
      const d = f32x4.mul(f32x4.sub(v128.load(x + i), v128.load(terms + i)), v128.load(factors + i));
      v128.store(y + i, f32x4.max(f32x4.add(d, v128.load(offsets + i)), f32x4.splat(least)));
    }
  }
  for (let i: usize = 0; i < <usize>(r.rest << 2); i += 4) {
    const d = (load<f32>(x + i) - load<f32>(terms + i)) * load<f32>(factors + i);
    store<f32>(y + i, max<f32>(d + load<f32>(offsets + i), least));
  }
}

/** `dx = (dy factor - (x - center) slope) + constant`, with dy where y is above 0 if y is given. */
function differentiate(r: Rows, x: usize, y: usize, dy: usize, terms: usize, dx: usize): void {
  const rowBytes: usize = r.width << 2;
  const factors = terms + rowBytes,
    slopes = factors + rowBytes,
    constants = slopes + rowBytes;
  for (let row = 0; row < r.count; row++) {
    for (let i: usize = 0; i < rowBytes; i += 16) {
      let g = v128.load(dy + i);
      if (y) g = v128.and(g, f32x4.gt(v128.load(y + i), f32x4.splat(0)));
      const d = f32x4.mul(f32x4.sub(v128.load(x + i), v128.load(terms + i)), v128.load(slopes + i));
      const value = f32x4.sub(f32x4.mul(g, v128.load(factors + i)), d);
      v128.store(dx + i, f32x4.add(value, v128.load(constants + i)));
    }
    x += rowBytes;
    if (y) y += rowBytes;
    dy += rowBytes;
    dx += rowBytes;
  }
  for (let i: usize = 0; i < <usize>(r.rest << 2); i += 4) {
    const gradient: f32 = y && !(load<f32>(y + i) > 0) ? 0 : load<f32>(dy + i);
    const d = (load<f32>(x + i) - load<f32>(terms + i)) * load<f32>(slopes + i);
    store<f32>(dx + i, gradient * load<f32>(factors + i) - d + load<f32>(constants + i));
  }
}
