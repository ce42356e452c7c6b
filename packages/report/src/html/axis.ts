/** Maps values to [0, 1] along an axis. */
export interface Axis {
  readonly ticks: readonly number[];
  /** 0 at the low end, 1 at the high end; not clamped. */
  position(value: number): number;
}

/** From `low` to `high`, with round ticks. */
export function linearAxis(low: number, high: number): Axis {
  const step = roundStep((high - low) / 5);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  const ticks = Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(12)));
  return { ticks, position: (value) => (value - low) / (high - low) };
}

/** Logarithmic from `low` to `high`, both above 0; ticks at powers of ten, or at 1, 2 and 5 times them. */
export function logAxis(low: number, high: number): Axis {
  const from = Math.log10(low);
  const range = Math.log10(high) - from;
  const factors = range > 3 ? [1] : [1, 2, 5];
  const powers = Array.from({ length: Math.ceil(range) + 2 }, (_, index) => Math.floor(from) + index);
  const ticks = powers
    .flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(3))))
    .filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  return { ticks, position: (value) => (Math.log10(Math.max(value, low)) - from) / range };
}

/** An axis for a positive quantity that may fall by orders of magnitude; it begins at 0 if it does not. */
export function lossAxis(values: readonly number[]): Axis {
  // Room for the margin above; and one at a time: a call takes some ten thousand arguments, and runs are longer.
  const finite = values.filter((value) => value >= 0 && value < 1e300);
  const high = finite.reduce((highest, value) => Math.max(highest, value), 1e-6);
  const low = finite.reduce((lowest, value) => (value > 0 ? Math.min(lowest, value) : lowest), high);
  return high / low > 20 ? logAxis(Math.max(low, high / 1e8) * 0.8, high * 1.15) : linearAxis(0, high * 1.05);
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  return factor * power;
}
