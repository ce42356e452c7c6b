import type { Message } from './messages.ts';

/** Element types of tensors on the wire: IEEE 754, little-endian. */
export type TensorType = 'float32' | 'float64';

/** Bytes of one element. */
export const elementBytes: Readonly<Record<TensorType, number>> = { float32: 4, float64: 8 };

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
  readonly dtype: TensorType;
}

/** Which fields travel as raw bytes behind the header. 64-bit elements come first, so that all are aligned. */
export const tensorFields: Readonly<Partial<Record<Message['type'], readonly TensorField[]>>> = {
  weights: [{ name: 'values', dtype: 'float32' }],
  partial: [
    { name: 'metrics', dtype: 'float64' },
    { name: 'gradient', dtype: 'float32' },
  ],
};

/** Where the payload starts: at the next multiple of 8 after the header, so that tensors can be read in place. */
export function alignPayload(headerEnd: number): number {
  return Math.ceil(headerEnd / 8) * 8;
}

/**
 * A typed array over `count` elements at `offset` of the bytes, without a copy where alignment allows.
 * Bits are kept as they are: the sign of zero, NaN payloads, denormals.
 */
export function readTensor(
  bytes: Uint8Array,
  offset: number,
  { dtype, count }: Pick<TensorHeader, 'dtype' | 'count'>,
): Float32Array | Float64Array {
  const size = elementBytes[dtype];
  const start = bytes.byteOffset + offset;
  const isAligned = start % size === 0;
  // Not `bytes.slice`: on a Node Buffer that is a view again.
  const buffer = isAligned
    ? bytes.buffer
    : new Uint8Array(bytes.subarray(offset, offset + count * size)).buffer;
  const from = isAligned ? start : 0;
  return dtype === 'float32' ? new Float32Array(buffer, from, count) : new Float64Array(buffer, from, count);
}
