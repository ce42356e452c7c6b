// Two float32 numbers at a time, as float64: plain TypeScript computes in float64 too and rounds when it stores.

/** The two numbers at an address. */
export function load2(address: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(address));
}

/** Rounds two numbers to float32 and stores them. */
export function store2(address: usize, values: v128): void {
  v128.store64_lane(address, f32x4.demote_f64x2_zero(values), 0);
}

/** Adds four float32 numbers to the four float64 sums at an address. */
export function addDoubles(sums: usize, values: v128): void {
  const last = f64x2.promote_low_f32x4(v128.shuffle<i64>(values, values, 1, 1));
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(values)));
  v128.store(sums, f64x2.add(v128.load(sums, 16), last), 16);
}
