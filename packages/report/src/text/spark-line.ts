import { bucketMeans } from '../figures/bucket-means.ts';

const bars = '▁▂▃▄▅▆▇█';

/** Options of {@link sparkLine}. */
export interface SparkLineOptions {
  /** Most signs, default 40. */
  readonly width?: number;
  /** Default `linear`. */
  readonly scale?: 'linear' | 'log';
}

/**
 * A curve in one line of text, from the lowest value `▁` to the highest `█`; longer series are averaged down to
 * `width` signs (default 40). Values that are not finite leave a space. With `scale: 'log'` equal ratios are equal
 * heights, which suits a loss; all values must then be above 0, others leave a space.
 *
 * @example
 * sparkLine([2.3, 0.9, 0.4, 0.2, 0.1]); // '█▄▂▁▁'
 */
export function sparkLine(values: readonly number[], options: SparkLineOptions = {}): string {
  const scale = options.scale === 'log' ? Math.log : Number;
  const means = bucketMeans(values, options.width ?? 40).map(({ mean }) => scale(mean));
  const finite = means.filter(Number.isFinite);
  const low = Math.min(...finite);
  const range = Math.max(...finite) - low;
  return means.map((mean) => bar(mean, low, range)).join('');
}

function bar(value: number, low: number, range: number): string {
  if (!Number.isFinite(value)) return ' ';
  // A flat line is drawn in the middle.
  const height = range > 0 ? Math.round(((value - low) / range) * (bars.length - 1)) : 3;
  return bars[height] as string;
}
