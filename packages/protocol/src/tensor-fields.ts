import { align } from './codecs/bits.ts';
import type { ByteSizes, CodecName, VectorCodec } from './codecs/vector-codec.ts';
import { codecOf } from './codecs/vector-codecs.ts';
import type { MessageLimits } from './limits.ts';
import type { Message } from './messages.ts';

/** How the elements of a tensor are written: a codec, or IEEE float64 as it is. */
export type TensorType = CodecName | 'float64';

/** One tensor as the header announces it. */
export interface TensorHeader {
  readonly name: string;
  readonly dtype: TensorType;
  /** Elements. */
  readonly count: number;
}

/** The tensors of a message type, in the order of the payload. */
export interface TensorField {
  readonly name: string;
  readonly dtypes: readonly TensorType[];
}

const allCodecs: readonly CodecName[] = ['float32', 'bfloat16', 'float16', 'int8', 'top-k'];

/**
 * Which fields travel as raw bytes behind the header. 64-bit elements come first, so that all are aligned. Weights are
 * not written in fewer than 16 bits: every worker computes with what it reads, so the error would be the model's.
 */
export const tensorFields: Readonly<Partial<Record<Message['type'], readonly TensorField[]>>> = {
  weights: [{ name: 'values', dtypes: ['float32', 'bfloat16', 'float16'] }],
  partial: [
    { name: 'metrics', dtypes: ['float64'] },
    { name: 'gradient', dtypes: allCodecs },
  ],
};

/** Where the payload starts: at the next multiple of 8 after the header, so that tensors can be read in place. */
export function alignPayload(headerEnd: number): number {
  return Math.ceil(headerEnd / 8) * 8;
}

/** A tensor that can be read. */
export interface ReadableTensor {
  readonly name: string;
  /** Absent: float64. */
  readonly codec?: VectorCodec;
  /** Elements. */
  readonly count: number;
}

/** How an announced tensor is read. */
export function readableTensor(
  { name, dtype, count }: TensorHeader,
  { exactParts }: Pick<MessageLimits, 'exactParts'>,
): ReadableTensor {
  if (dtype === 'float64') return { name, count };
  return { name, count, codec: codecOf({ codec: dtype }, name === 'gradient' ? exactParts : []) };
}

/** Bytes of a tensor in the payload. */
export function tensorSizes({ codec, count }: ReadableTensor): ByteSizes {
  return codec ? codec.sizes(count) : { min: 8 * count, max: 8 * count };
}

/**
 * Reads a tensor from exactly its bytes, without a copy where codec and alignment allow. Bits of float32 and float64 are
 * kept as they are: the sign of zero, NaN payloads, denormals.
 */
export function readTensor(bytes: Uint8Array, { codec, count }: ReadableTensor): Float32Array | Float64Array {
  if (codec) return codec.decode(bytes, count);
  const { buffer, byteOffset } = align(bytes, 8);
  return new Float64Array(buffer, byteOffset, count);
}
