import { bfloat16 } from './bfloat16.ts';
import { float16 } from './float16.ts';
import { float32 } from './float32.ts';
import { int8 } from './int8.ts';
import { keepExact, type VectorPart } from './keep-exact.ts';
import { createTopK } from './top-k.ts';
import type { CodecName, VectorCodec } from './vector-codec.ts';

/** Every codec; `top-k` sends 1 % of the elements, and reads any share. */
export const vectorCodecs: Readonly<Record<CodecName, VectorCodec>> = {
  float32,
  bfloat16,
  float16,
  int8,
  'top-k': createTopK(0.01),
};

/**
 * The codec of a name; `share` for `top-k`, see {@link createTopK}. The elements of `exactParts`, ascending, travel as
 * float32 with every codec.
 */
export function codecOf(
  { codec, share }: { readonly codec: CodecName; readonly share?: number },
  exactParts: readonly VectorPart[] = [],
): VectorCodec {
  return keepExact(share === undefined ? vectorCodecs[codec] : createTopK(share), exactParts);
}
