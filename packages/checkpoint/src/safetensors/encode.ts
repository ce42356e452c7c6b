import { elementCount, elementTypeOf, type NamedTensor, type Safetensors } from './tensor.ts';

const alignment = 8;

/**
 * Encodes tensors as a safetensors file (https://github.com/huggingface/safetensors): 8 bytes of header length, a JSON
 * header, then the tensors' bytes in order, without gaps. Every bit is kept (-0, NaN payloads).
 *
 * Throws `TypeError`/`RangeError` on a repeated or reserved name or a shape that does not fit its data.
 *
 * @example
 * const bytes = encodeSafetensors({ tensors: [{ name: 'w', shape: [2], data: Float32Array.of(1, 2) }] });
 */
export function encodeSafetensors(content: Pick<Safetensors, 'tensors'> & Partial<Safetensors>): Uint8Array {
  const header = encodeHeader(content.tensors, content.metadata ?? {});
  const size = content.tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  const bytes = new Uint8Array(8 + header.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let offset = 8 + header.length;
  for (const { data } of content.tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

function encodeHeader(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries = new Map<string, unknown>();
  let start = 0;
  for (const tensor of tensors) {
    checkTensor(tensor, entries);
    const end = start + tensor.data.byteLength;
    entries.set(tensor.name, {
      dtype: elementTypeOf(tensor.data),
      shape: tensor.shape,
      data_offsets: [start, end],
    });
    start = end;
  }
  // Members are joined by hand: an object would move keys like "10" to the front.
  const members = [...entries].map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  if (Object.keys(metadata).length > 0) members.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const text = new TextEncoder().encode(`{${members.join(',')}}`);
  // Spaces up to a multiple of 8, so that a reader may map float64 in place.
  const header = new Uint8Array(Math.ceil(text.length / alignment) * alignment).fill(0x20);
  header.set(text);
  return header;
}

function checkTensor({ name, shape, data }: NamedTensor, taken: ReadonlyMap<string, unknown>): void {
  if (name === '__metadata__' || name === '__proto__') throw new RangeError(`name ${name} is reserved`);
  if (taken.has(name)) throw new RangeError(`name ${name} is used twice`);
  const count = elementCount(shape);
  if (count !== data.length) {
    throw new RangeError(
      `${name}: shape [${shape.join(', ')}] needs ${count} elements, data has ${data.length}`,
    );
  }
}
