// Two float32 numbers at a time, as float64: plain TypeScript computes in float64 too and rounds when it stores.

/** The two numbers at an address. */
export function load2(address: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(address));
}

/** Rounds two numbers to float32 and stores them. */
export function store2(address: usize, values: v128): void {
  v128.store64_lane(address, f32x4.demote_f64x2_zero(values), 0);
}
