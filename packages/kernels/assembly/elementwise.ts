import { allocateZeros, free } from './heap';

/** `y = x + bias` for each row, and relu if asked for; y may be x. */
export function addBias(x: usize, bias: usize, rows: i32, columns: i32, relu: bool, y: usize): void {
  const whole = columns & ~3;
  const low: f32 = relu ? 0 : -Infinity;
  for (let row = 0; row < rows; row++) {
    for (let i: usize = 0; i < <usize>(whole << 2); i += 16) {
      v128.store(y + i, f32x4.max(f32x4.add(v128.load(x + i), v128.load(bias + i)), f32x4.splat(low)));
    }
    for (let i: usize = whole << 2; i < <usize>(columns << 2); i += 4) {
      store<f32>(y + i, max<f32>(load<f32>(x + i) + load<f32>(bias + i), low));
    }
    x += columns << 2;
    y += columns << 2;
  }
}

/** `x += y`. */
export function addTo(x: usize, y: usize, size: i32): void {
  const whole = <usize>((size & ~3) << 2);
  for (let i: usize = 0; i < whole; i += 16) v128.store(x + i, f32x4.add(v128.load(x + i), v128.load(y + i)));
  for (let i = whole; i < <usize>(size << 2); i += 4) store<f32>(x + i, load<f32>(x + i) + load<f32>(y + i));
}

/** `dx = y > 0 ? dy : 0`, y being relu's output. */
export function reluGradient(dy: usize, y: usize, size: i32, dx: usize): void {
  const whole = <usize>((size & ~3) << 2);
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < whole; i += 16) {
    v128.store(dx + i, v128.and(v128.load(dy + i), f32x4.gt(v128.load(y + i), zero)));
  }
  for (let i = whole; i < <usize>(size << 2); i += 4) {
    store<f32>(dx + i, load<f32>(y + i) > 0 ? load<f32>(dy + i) : 0);
  }
}

/** The sum of all rows, added in order in double precision. */
export function sumRows(x: usize, rows: i32, columns: i32, y: usize): void {
  const sums = allocateZeros(columns << 3);
  const pairs = columns & ~1;
  for (let row = 0; row < rows; row++) {
    let sum = sums;
    for (let c = 0; c < pairs; c += 2, x += 8, sum += 16) {
      v128.store(sum, f64x2.add(v128.load(sum), f64x2.promote_low_f32x4(v128.load64_zero(x))));
    }
    if (pairs == columns) continue;
    store<f64>(sum, load<f64>(sum) + load<f32>(x));
    x += 4;
  }
  for (let c = 0; c < columns; c++) store<f32>(y + (c << 2), <f32>load<f64>(sums + (c << 3)));
  free(sums);
}
