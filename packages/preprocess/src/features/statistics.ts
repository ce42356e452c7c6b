import type { FeatureStatistics } from '../specs.ts';

/** What {@link featureStatistics} needs: the fields of a data set, and optionally which samples count. */
export interface StatisticsSource {
  /** Samples one after the other, row-major. */
  readonly features: Uint8Array | Float32Array;
  /** Shape of one sample; the last axis is the channel. */
  readonly sampleShape: readonly number[];
  /** Samples to use, for example the training part of a split; default all. */
  readonly indices?: Uint32Array;
}

/**
 * Mean and population standard deviation of each channel. Bytes are taken as `x / 255`, their sums are exact
 * integers; floats are taken as they are, summed in double precision in a fixed order. A constant channel gets
 * deviation 1, so that standardising it gives 0.
 *
 * @throws RangeError if the features are no whole number of samples, or an index is out of range.
 *
 * @example
 * featureStatistics({ features: new Uint8Array([0, 255]), sampleShape: [1] }); // mean [0.5], deviation [0.5]
 */
export function featureStatistics(source: StatisticsSource): FeatureStatistics {
  const sampleSize = source.sampleShape.reduce((product, side) => product * side, 1);
  const channels = source.sampleShape.at(-1) ?? 1;
  const total = source.features.length / sampleSize;
  if (!Number.isInteger(total)) {
    throw new RangeError(
      `features: ${source.features.length} values are no whole number of samples of ${sampleSize}`,
    );
  }
  const samples = source.indices ?? Uint32Array.from({ length: total }, (_, index) => index);
  const wrong = samples.find((index) => index >= total);
  if (wrong !== undefined) throw new RangeError(`indices: ${wrong} is not below the sample count ${total}`);
  if (samples.length === 0) throw new RangeError('features: no sample to compute statistics of');
  const layout = { samples, sampleSize, channels };
  return source.features instanceof Uint8Array
    ? byteStatistics(source.features, layout)
    : floatStatistics(source.features, layout);
}

interface SampleLayout {
  readonly samples: Uint32Array;
  readonly sampleSize: number;
  readonly channels: number;
}

function forEachValue(layout: SampleLayout, visit: (position: number, channel: number) => void): void {
  for (const sample of layout.samples) {
    const start = sample * layout.sampleSize;
    for (let i = 0; i < layout.sampleSize; i += 1) visit(start + i, i % layout.channels);
  }
}

/** Counts how often each byte occurs: everything else follows exactly from these 256 integers. */
function byteStatistics(features: Uint8Array, layout: SampleLayout): FeatureStatistics {
  const counts = Array.from({ length: layout.channels }, () => new Float64Array(256));
  forEachValue(layout, (position, channel) => {
    const histogram = counts[channel] as Float64Array;
    const value = features[position] as number;
    histogram[value] = (histogram[value] as number) + 1;
  });
  const moments = counts.map(histogramMoments);
  return { mean: moments.map(({ mean }) => mean), deviation: moments.map(({ deviation }) => deviation) };
}

function histogramMoments(histogram: Float64Array): { mean: number; deviation: number } {
  let [count, sum, squares] = [0n, 0n, 0n];
  for (const [value, times] of histogram.entries()) {
    const [v, n] = [BigInt(value), BigInt(times)];
    count += n;
    sum += n * v;
    squares += n * v * v;
  }
  // count^2 * variance is an integer, too large for a double to hold exactly: hence BigInt.
  const scaled = Number(count * squares - sum * sum);
  const n = Number(count);
  return { mean: Number(sum) / n / 255, deviation: positive(Math.sqrt(scaled) / n / 255) };
}

function floatStatistics(features: Float32Array, layout: SampleLayout): FeatureStatistics {
  const perChannel = (layout.samples.length * layout.sampleSize) / layout.channels;
  const mean = new Float64Array(layout.channels);
  forEachValue(layout, (position, channel) => {
    mean[channel] = (mean[channel] as number) + (features[position] as number) / perChannel;
  });
  const variance = new Float64Array(layout.channels);
  forEachValue(layout, (position, channel) => {
    const distance = (features[position] as number) - (mean[channel] as number);
    variance[channel] = (variance[channel] as number) + (distance * distance) / perChannel;
  });
  return { mean: [...mean], deviation: [...variance].map((value) => positive(Math.sqrt(value))) };
}

function positive(deviation: number): number {
  return deviation > 0 ? deviation : 1;
}
