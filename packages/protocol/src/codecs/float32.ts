import { align, checkSize } from './bits.ts';
import type { VectorCodec } from './vector-codec.ts';

/** The elements as they are: 4 bytes each, no error, no copy. */
export const float32: VectorCodec = {
  name: 'float32',
  isExact: true,
  sizes: (count) => ({ min: 4 * count, max: 4 * count }),
  encode: (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  decode(bytes, count) {
    checkSize(float32, bytes.length, count);
    const { buffer, byteOffset } = align(bytes, 4);
    return new Float32Array(buffer, byteOffset, count);
  },
};
