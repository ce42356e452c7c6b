import { GradwireError } from '@gradwire/errors';
import { formatCount } from './format-count.ts';
import type { IdxArray, IdxType } from './idx-types.ts';
import { idxCodecs } from './idx-types.ts';

const wholeFileHint = 'Fetch or copy the file again.';

/** What the first bytes of an IDX file say. */
interface IdxHeader {
  readonly dtype: IdxType;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly dataOffset: number;
}

/**
 * Reads an uncompressed IDX file.
 *
 * @param bytes - The whole file. The `data` of a `uint8` array is a view of it, not a copy.
 * @param name - Names the file in error messages.
 * @throws GradwireError `DATA_CORRUPT` if the file is no IDX file, or shorter or longer than its header says.
 *
 * @example
 * const images = readIdx(new Uint8Array(await response.arrayBuffer()), 't10k-images-idx3-ubyte');
 * images.shape; // [10000, 28, 28]
 */
export function readIdx(bytes: Uint8Array, name: string): IdxArray {
  const { dtype, shape, dataOffset } = readHeader(bytes, name);
  const codec = idxCodecs[dtype];
  const length = elementCount(shape);
  const expected = dataOffset + length * codec.bytesPerElement;
  if (bytes.length !== expected) {
    throw new GradwireError(
      'DATA_CORRUPT',
      `${name}: expected ${formatCount(expected)} bytes (${dtype} ${shape.join(' x ')}), found ${formatCount(bytes.length)}`,
      { hint: wholeFileHint },
    );
  }
  if (dtype === 'uint8') {
    return { dtype, shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + dataOffset, length) };
  }
  const data = codec.create(length);
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataOffset);
  for (let i = 0; i < length; i++) data[i] = codec.get(view, i * codec.bytesPerElement);
  // `create` of the codec for `dtype` made the array that belongs to it.
  return { dtype, shape, data } as IdxArray;
}

/** The number of elements of an array. A zero wins over dimensions whose product no double holds. */
export function elementCount(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
}

function readHeader(bytes: Uint8Array, name: string): IdxHeader {
  const [zero0, zero1, code, rank = 0] = bytes;
  const dtype = idxTypeOf(code);
  if (bytes.length < 4 || zero0 !== 0 || zero1 !== 0 || dtype === undefined || rank === 0) {
    throw notIdx(bytes, name);
  }
  const dataOffset = 4 + 4 * rank;
  if (bytes.length < dataOffset) {
    throw new GradwireError(
      'DATA_CORRUPT',
      `${name}: expected a header of ${dataOffset} bytes (rank ${rank}), found ${bytes.length} bytes in all`,
      { hint: wholeFileHint },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  return { dtype, shape, dataOffset };
}

function idxTypeOf(code: number | undefined): IdxType | undefined {
  const types = Object.keys(idxCodecs) as IdxType[];
  return types.find((type) => idxCodecs[type].code === code);
}

function notIdx(bytes: Uint8Array, name: string): GradwireError {
  const found = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return new GradwireError(
    'DATA_CORRUPT',
    `${name}: expected an IDX file, which begins 00 00, type (08 to 0e), rank; found ${found || 'an empty file'}`,
    {
      hint: compressed
        ? 'The file is gzip-compressed: unpack it first.'
        : 'Check that this is the right file.',
    },
  );
}
