import { showValue } from '@gradwire/errors';
import { parseHeader } from './header.ts';
import { type Refuse, refusal } from './refusal.ts';
import {
  type ElementType,
  elementArrays,
  elementCount,
  type NamedTensor,
  type Safetensors,
} from './tensor.ts';

/** Options of {@link decodeSafetensors}. */
export interface DecodeOptions {
  /** What the messages call it, for example the file's path. */
  readonly name?: string;
  /** Largest header, default 1 MiB (some 10,000 tensors). */
  readonly maxHeaderBytes?: number;
}

interface Entry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/**
 * Decodes a safetensors file and copies its tensors out, bit for bit.
 *
 * Nothing is trusted: header length, JSON, duplicate and reserved keys, element types, shapes, and that the tensors
 * cover the bytes from the header to the end of the file without gap or overlap.
 * Throws `GradwireError` FILE_CORRUPT with what was expected and found.
 *
 * @example
 * const { tensors } = decodeSafetensors(await readFile('weights.safetensors'));
 */
export function decodeSafetensors(bytes: Uint8Array, options: DecodeOptions = {}): Safetensors {
  const refuse = refusal(options.name ?? 'safetensors');
  const length = headerLength(bytes, options.maxHeaderBytes ?? 1 << 20, refuse);
  const header = parseHeader(bytes.subarray(8, 8 + length), refuse);
  const body = bytes.subarray(8 + length);
  const entries = [...header.entries].map(([name, value]) => toEntry(name, value, refuse));
  entries.sort((a, b) => a.start - b.start || a.end - b.end);
  checkCoverage(entries, body.length, refuse);
  return { tensors: entries.map((entry) => toTensor(entry, body)), metadata: header.metadata };
}

function headerLength(bytes: Uint8Array, maxHeaderBytes: number, refuse: Refuse): number {
  if (bytes.length < 8) refuse('at least 8 bytes', `${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const room = Math.min(maxHeaderBytes, bytes.length - 8);
  if (length > BigInt(room)) refuse(`a header of at most ${room} bytes`, `${length}`);
  return Number(length);
}

function toEntry(name: string, value: unknown, refuse: Refuse): Entry {
  const label = `tensor ${JSON.stringify(name.slice(0, 60))}`;
  const { dtype, shape, data_offsets: offsets, ...rest } = value as Record<string, unknown>;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) refuse(`${label} with dtype, shape and data_offsets only`, unknown.slice(0, 60));
  if (typeof dtype !== 'string' || !Object.hasOwn(elementArrays, dtype)) {
    // Not String(): what stands there may be an object with a toString of its own.
    const found = typeof dtype === 'string' ? dtype.slice(0, 60) : showValue(dtype, 60);
    return refuse(`${label} of type ${Object.keys(elementArrays).join(', ')}`, found);
  }
  const type = dtype as ElementType;
  const count = Array.isArray(shape) ? elementCount(shape) : undefined;
  if (count === undefined) return refuse(`${label} with a shape of whole numbers`, showValue(shape, 60));
  if (!isRange(offsets)) {
    return refuse(`${label} with data_offsets [start, end]`, showValue(offsets, 60));
  }
  const [start, end] = offsets;
  const size = count * elementArrays[type].BYTES_PER_ELEMENT;
  if (end - start !== size) refuse(`${label} with ${size} bytes`, `${end - start}`);
  return { name, type, shape: shape as number[], start, end };
}

function isRange(value: unknown): value is [number, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  return value.every((offset) => Number.isSafeInteger(offset) && offset >= 0) && value[0] <= value[1];
}

function checkCoverage(entries: readonly Entry[], size: number, refuse: Refuse): void {
  let end = 0;
  for (const entry of entries) {
    if (entry.start !== end) refuse(`tensor ${JSON.stringify(entry.name)} at byte ${end}`, `${entry.start}`);
    end = entry.end;
  }
  if (end !== size) refuse(`${end} bytes of tensors`, `${size}`);
}

function toTensor({ name, type, shape, start, end }: Entry, body: Uint8Array): NamedTensor {
  // A copy: the file's bytes need not be aligned, and the caller may drop them. Not slice(), which in a Buffer shares.
  const copy = new Uint8Array(body.subarray(start, end));
  const array = elementArrays[type];
  return { name, shape, data: new array(copy.buffer, 0, copy.length / array.BYTES_PER_ELEMENT) };
}
