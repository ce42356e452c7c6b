/**
 * How vectors travel where that is not as they are. What is lost on the way decides the result, so it belongs to the
 * recipe: docs/codecs.md says what each codec costs and saves.
 */
export interface CodecSpec {
  /** Of gradient sums (with a local strategy: of what it changed). Default: float32. */
  readonly gradients?: RoundingCodec | TopKCodec;
  /** Every worker computes with what it reads; the coordinator keeps float32. Default: float32. */
  readonly weights?: 'bfloat16' | 'float16';
}

/** Every element with fewer bits. */
export interface RoundingCodec {
  readonly type: 'bfloat16' | 'float16' | 'int8';
  /** Shards whose sum is coded as one: a power of two; default: {@link usualGroup}. */
  readonly shards?: number;
}

/** The largest elements alone. */
export interface TopKCodec {
  readonly type: 'top-k';
  /** As above. */
  readonly shards?: number;
  /** Of the elements that are sent, above 0, up to 0.5; default 0.1. */
  readonly share?: number;
  /**
   * Error feedback: what is not sent is added to the next sum, and at the latest after so many steps, from 2 to 1,024, the
   * sum is sent whole. Default: what is not sent is lost.
   */
  readonly feedbackSteps?: number;
}

/** A gradient codec with every setting. */
export interface CompleteCodec {
  readonly codec: NonNullable<CodecSpec['gradients']>['type'];
  /** Shards in a group. */
  readonly shards: number;
  /** `top-k` only. */
  readonly share?: number;
  /** `top-k` only. */
  readonly feedbackSteps?: number;
}

/** The recipe's gradient codec with its defaults filled in; undefined if gradients are sent as they are. */
export function gradientCodec(recipe: {
  readonly codec?: CodecSpec;
  readonly shards: number;
}): CompleteCodec | undefined {
  const gradients = recipe.codec?.gradients;
  if (!gradients) return undefined;
  const { type: codec, shards = usualGroup(recipe.shards) } = gradients;
  if (gradients.type !== 'top-k') return { codec, shards };
  const { share = 0.1, feedbackSteps } = gradients;
  return { codec, shards, share, ...(feedbackSteps === undefined ? {} : { feedbackSteps }) };
}

/** The largest power of two up to half of the shards: two workers then send one coded vector each, if these are a power of two. */
export function usualGroup(shards: number): number {
  return shards < 2 ? 1 : 2 ** (30 - Math.clz32(shards));
}
