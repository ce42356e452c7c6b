import type { FeatureSpec, FeatureStatistics } from '../specs.ts';

/**
 * Turns raw features into the network's input: `raw` holds whole samples, row-major, channel last; `out` has the
 * same length and receives the result.
 *
 * @throws RangeError if the lengths differ.
 */
export type FeatureTransform = (raw: Uint8Array | Float32Array, out: Float32Array) => void;

/** One channel's affine map: `(x * 1/255 - mean) / deviation`, without the division by 255 for floats. */
interface ChannelMap {
  readonly mean: number;
  readonly deviation: number;
}

/**
 * Prepares a {@link FeatureTransform}. Bytes go through a table of 256 entries a channel, so each result is rounded
 * once from double precision and has the same bits everywhere. Floats are not divided by 255: `normalise` leaves
 * them as they are.
 *
 * @param statistics - of the training set, from {@link featureStatistics}; needed to standardise.
 * @throws TypeError if statistics are needed and missing; RangeError if a deviation is not above 0.
 *
 * @example
 * const transform = createFeatureTransform({ type: 'normalise' });
 * const out = new Float32Array(2);
 * transform(new Uint8Array([0, 255]), out); // out is [0, 1]
 */
export function createFeatureTransform(spec: FeatureSpec, statistics?: FeatureStatistics): FeatureTransform {
  const maps = channelMaps(spec, statistics);
  const tables = byteTables(maps);
  return (raw, out) => {
    if (raw.length !== out.length) {
      throw new RangeError(`out: expected length ${raw.length}, found ${out.length}`);
    }
    if (raw instanceof Uint8Array) applyTables(raw, out, tables);
    else applyMaps(raw, out, maps);
  };
}

function channelMaps(spec: FeatureSpec, statistics?: FeatureStatistics): ChannelMap[] {
  if (spec.type === 'normalise') return [{ mean: 0, deviation: 1 }];
  if (statistics === undefined) throw new TypeError('statistics: needed to standardise, found undefined');
  return statistics.mean.map((mean, channel) => {
    const deviation = statistics.deviation[channel];
    if (deviation === undefined || !(deviation > 0)) {
      throw new RangeError(`statistics.deviation[${channel}]: expected a number above 0, found ${deviation}`);
    }
    return { mean, deviation };
  });
}

function byteTables(maps: readonly ChannelMap[]): Float32Array[] {
  return maps.map(({ mean, deviation }) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / deviation),
  );
}

function applyTables(raw: Uint8Array, out: Float32Array, tables: readonly Float32Array[]): void {
  for (const [channel, table] of tables.entries()) {
    for (let i = channel; i < raw.length; i += tables.length) out[i] = table[raw[i] as number] as number;
  }
}

function applyMaps(raw: Float32Array, out: Float32Array, maps: readonly ChannelMap[]): void {
  for (const [channel, { mean, deviation }] of maps.entries()) {
    for (let i = channel; i < raw.length; i += maps.length) out[i] = ((raw[i] as number) - mean) / deviation;
  }
}
