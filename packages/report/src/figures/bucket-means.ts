/** One bucket of a series. */
export interface Bucket {
  /** Position of its middle in the series, from 0. */
  readonly middle: number;
  /** Mean of its finite values; NaN if it has none. */
  readonly mean: number;
}

/** Cuts a series into at most `count` runs of nearly equal length. */
export function bucketMeans(values: readonly number[], count: number): Bucket[] {
  const buckets = Math.min(count, values.length);
  return Array.from({ length: buckets }, (_, index) => {
    const start = Math.floor((index * values.length) / buckets);
    const end = Math.floor(((index + 1) * values.length) / buckets);
    const finite = values.slice(start, end).filter(Number.isFinite);
    return { middle: (start + end - 1) / 2, mean: finite.reduce((a, b) => a + b, 0) / finite.length };
  });
}
