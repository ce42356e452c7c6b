import type { IdxArray } from './idx-types.ts';
import { idxCodecs } from './idx-types.ts';
import { elementCount } from './read-idx.ts';

const maxSize = 0xffffffff;

/**
 * The bytes of an uncompressed IDX file with the given content: what `readIdx` reads.
 *
 * @throws RangeError if the rank is not 1 to 255, a dimension is not an unsigned 32-bit integer, or `data` does not
 * have as many elements as `shape` says.
 */
export function writeIdx({ dtype, shape, data }: IdxArray): Uint8Array {
  checkShape(shape, data.length);
  const codec = idxCodecs[dtype];
  const dataOffset = 4 + 4 * shape.length;
  const bytes = new Uint8Array(dataOffset + data.length * codec.bytesPerElement);
  bytes.set([0, 0, codec.code, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((size, i) => {
    view.setUint32(4 + 4 * i, size);
  });
  if (dtype === 'uint8') {
    bytes.set(data, dataOffset);
  } else {
    data.forEach((value, i) => {
      codec.set(view, dataOffset + i * codec.bytesPerElement, value);
    });
  }
  return bytes;
}

function checkShape(shape: readonly number[], length: number): void {
  const valid = shape.every((size) => Number.isInteger(size) && size >= 0 && size <= maxSize);
  if (!valid || shape.length < 1 || shape.length > 255) {
    throw new RangeError(`shape must have 1 to 255 sizes from 0 to ${maxSize}, got [${shape.join(', ')}]`);
  }
  if (elementCount(shape) !== length) {
    throw new RangeError(
      `data must have ${elementCount(shape)} elements for shape [${shape.join(', ')}], got ${length}`,
    );
  }
}
