import { type EnginePlan, type ParameterLayout, statisticParameters } from '@gradwire/engine';
import {
  codecOf,
  type GradientCoding,
  type MessageLimits,
  messageLimits,
  type VectorCodec,
  vectorCodecs,
} from '@gradwire/protocol';
import { gradientCodec, type Recipe } from '@gradwire/recipes';

/** How the vectors of a run travel. */
export interface Codecs {
  /** Goes with every lease of a step; absent: gradients are sent as they are. */
  readonly gradients?: GradientCoding;
  readonly weights: VectorCodec;
}

/** What a recipe says of codecs, in the words of the protocol. */
export function codecsOf(recipe: Recipe): Codecs {
  const gradients = gradientCodec(recipe);
  const weights = vectorCodecs[recipe.codec?.weights ?? 'float32'];
  if (!gradients) return { weights };
  const { feedbackSteps: _, ...coding } = gradients;
  return { gradients: coding, weights };
}

/** The same for the engine: what becomes of the sum over a group of shards. Statistics stay as they are. */
export function engineCoding(recipe: Recipe, layout: ParameterLayout): Pick<EnginePlan, 'coding'> {
  const gradients = gradientCodec(recipe);
  if (!gradients) return {};
  const { shards: groupSize, feedbackSteps } = gradients;
  const codec = codecOf(gradients, statisticParameters(layout));
  const code = (gradient: Float32Array): Float32Array =>
    codec.decode(codec.encode(gradient), gradient.length);
  return { coding: { groupSize, code, ...(feedbackSteps === undefined ? {} : { feedbackSteps }) } };
}

/** What a worker of the run may send. */
export function limitsOf({ layout, classes }: EnginePlan, { gradients }: Codecs): MessageLimits {
  const gradientCodec = gradients?.codec ?? 'float32';
  const exactParts = statisticParameters(layout);
  return messageLimits({ role: 'worker', parameters: layout.size, classes, gradientCodec, exactParts });
}
