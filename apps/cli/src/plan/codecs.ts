import { type ParameterLayout, statisticParameters } from '@gradwire/engine';
import { codecOf, vectorCodecs } from '@gradwire/protocol';
import { type CodecSpec, type CompleteCodec, gradientCodec } from '@gradwire/recipes';

/** How the vectors of a run travel, as one choice. */
export interface Codec {
  readonly name: string;
  /** Whether every bit arrives, so that it changes no result. */
  readonly isLossless: boolean;
  readonly spec: CodecSpec;
}

export const float32: Codec = { name: 'float32', isLossless: true, spec: {} };

const lossy: readonly Codec[] = [
  lossyCodec('bfloat16', { gradients: { type: 'bfloat16' }, weights: 'bfloat16' }),
  lossyCodec('int8', { gradients: { type: 'int8' }, weights: 'bfloat16' }),
  lossyCodec('top-k', { gradients: { type: 'top-k' }, weights: 'bfloat16' }),
];

/** float32, then each lossy choice with groups of 1, 2, 4 and so on, up to all shards. */
export function codecChoices(shards: number): Codec[][] {
  const sizes = Array.from({ length: 32 - Math.clz32(shards) }, (_, i) => 2 ** i);
  return [[float32], ...lossy.map((codec) => sizes.map((size) => inGroups(codec, size)))];
}

/** Bytes of the vectors on the wire. */
export interface VectorBytes {
  /** As float32. */
  readonly plain: number;
  readonly weights: number;
  /** The sum over a group of so many shards; absent: gradients travel as float32. */
  readonly group?: { readonly shards: number; readonly bytes: number };
}

/** What a codec makes of vectors with this layout, but for the headers of messages. */
export function vectorBytes({ spec }: Codec, layout: ParameterLayout, shards: number): VectorBytes {
  const plain = 4 * layout.size;
  const weights = vectorCodecs[spec.weights ?? 'float32'].sizes(layout.size).max;
  const coding = gradientCodec({ codec: spec, shards });
  if (!coding) return { plain, weights };
  return { plain, weights, group: { shards: coding.shards, bytes: codedBytes(coding, layout) } };
}

function codedBytes({ codec, share }: CompleteCodec, layout: ParameterLayout): number {
  const statistics = statisticParameters(layout);
  if (share === undefined) return codecOf({ codec }, statistics).sizes(layout.size).max;
  const exact = statistics.reduce((sum, { size }) => sum + size, 0);
  // Two bytes a value, and one for the gap before it, or two if it is long: where values lie is taken for chance.
  return 4 * exact + share * (layout.size - exact) * (3 + (1 - share) ** 128);
}

/** What auto may choose, float32 first. */
export const autoCodecs: readonly Codec[] = [float32, ...lossy.filter(({ name }) => name !== 'top-k')];

/** The codec with the largest groups of which each of so many workers has a whole one. */
export function inGroupsFor(codec: Codec, shards: number, workers: number): Codec {
  const log2 = Math.log2(Math.max(1, shards / workers));
  return codec.isLossless
    ? codec
    : inGroups(codec, 2 ** (workers === 1 ? Math.ceil(log2) : Math.floor(log2)));
}

function lossyCodec(name: string, spec: CodecSpec): Codec {
  return { name, isLossless: false, spec };
}

function inGroups({ name, spec }: Codec, shards: number): Codec {
  return { name, isLossless: false, spec: { ...spec, gradients: { ...spec.gradients!, shards } } };
}
