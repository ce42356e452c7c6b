import { invalidMessage } from './invalid-message.ts';

/** What {@link scanHeader} tolerates. */
export interface ScanLimits {
  /** Maps and arrays inside each other, the outermost included. */
  readonly maxDepth: number;
  /** Values, map keys included. */
  readonly maxItems: number;
}

/** What one msgpack value announces: bytes that follow it directly, and values inside it. */
interface Item {
  readonly kind: 'scalar' | 'text' | 'array' | 'map';
  /** Bytes of the type byte and the length field. */
  readonly headBytes: number;
  readonly bodyBytes: number;
  readonly children: number;
}

/** A map or array that is being walked through. */
interface Level {
  /** Values still to come. */
  left: number;
  readonly isMap: boolean;
}

/**
 * Walks through a msgpack header without building anything, before an unpacker may see it: hostile bytes of 200
 * bytes can make an unpacker allocate gigabytes or end the process, and no `catch` helps.
 *
 * Accepted: exactly one map, containing maps with text keys, arrays, texts, booleans, integers and floats. Every
 * announced length must fit into the bytes left. Refused: nil, binary and extension types (the wire has no use for them).
 *
 * @throws GradwireError MESSAGE_INVALID
 */
export function scanHeader(bytes: Uint8Array, { maxDepth, maxItems }: ScanLimits): void {
  const levels: Level[] = [];
  let position = 0;
  let items = 0;
  do {
    if (position >= bytes.length) throw invalidMessage('the header ends in the middle of a value');
    if (++items > maxItems) throw invalidMessage(`the header has more than ${maxItems} values`);
    const item = readItem(bytes, position);
    const level = levels.at(-1);
    checkPlace(item, level, position);
    position += item.headBytes + item.bodyBytes;
    if (item.children > bytes.length - position) {
      throw invalidMessage(
        `the header announces ${item.children} values with ${bytes.length - position} bytes left`,
      );
    }
    if (level) level.left--;
    if (item.children > 0) {
      if (levels.length === maxDepth) throw invalidMessage(`the header is nested deeper than ${maxDepth}`);
      levels.push({ left: item.children, isMap: item.kind === 'map' });
    }
    while (levels.at(-1)?.left === 0) levels.pop();
  } while (levels.length > 0);
  if (position !== bytes.length) {
    throw invalidMessage(`the header has ${bytes.length - position} bytes after its end`);
  }
}

function checkPlace(item: Item, level: Level | undefined, position: number): void {
  if (level === undefined && item.kind !== 'map') throw invalidMessage('the header is not a map');
  // In a map, keys and values take turns: an even number left means a key is due.
  if (level?.isMap && level.left % 2 === 0 && item.kind !== 'text') {
    throw invalidMessage(`a map in the header has a key that is not a text, at byte ${position}`);
  }
}

function readItem(bytes: Uint8Array, at: number): Item {
  const item = readKnown(bytes, at);
  const left = bytes.length - at;
  if (item.headBytes + item.bodyBytes > left) {
    throw invalidMessage(
      `a value in the header needs ${item.headBytes + item.bodyBytes} bytes, ${left} are left`,
    );
  }
  return item;
}

/** The formats of the msgpack specification (https://github.com/msgpack/msgpack/blob/master/spec.md). */
function readKnown(bytes: Uint8Array, at: number): Item {
  const type = bytes[at] ?? 0;
  if (type <= 0x7f || type >= 0xe0) return scalar(0);
  if (type <= 0x8f) return container('map', 1, type & 0x0f);
  if (type <= 0x9f) return container('array', 1, type & 0x0f);
  if (type <= 0xbf) return text(1, type & 0x1f);
  switch (type) {
    case 0xc2: // false
    case 0xc3: // true
      return scalar(0);
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return scalar(1);
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return scalar(2);
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return scalar(4);
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return scalar(8);
    case 0xd9:
      return text(2, readLength(bytes, at + 1, 1));
    case 0xda:
      return text(3, readLength(bytes, at + 1, 2));
    case 0xdb:
      return text(5, readLength(bytes, at + 1, 4));
    case 0xdc:
      return container('array', 3, readLength(bytes, at + 1, 2));
    case 0xdd:
      return container('array', 5, readLength(bytes, at + 1, 4));
    case 0xde:
      return container('map', 3, readLength(bytes, at + 1, 2));
    case 0xdf:
      return container('map', 5, readLength(bytes, at + 1, 4));
    default:
      throw invalidMessage(
        `the header has a value of the refused msgpack type 0x${type.toString(16)} at byte ${at}`,
      );
  }
}

const scalar = (bytes: number): Item => ({ kind: 'scalar', headBytes: 1 + bytes, bodyBytes: 0, children: 0 });

const text = (headBytes: number, bodyBytes: number): Item => ({
  kind: 'text',
  headBytes,
  bodyBytes,
  children: 0,
});

function container(kind: 'array' | 'map', headBytes: number, entries: number): Item {
  return { kind, headBytes, bodyBytes: 0, children: kind === 'map' ? 2 * entries : entries };
}

/** An unsigned big-endian integer of `size` bytes; 0 for the bytes that are missing, which the caller notices. */
function readLength(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let index = 0; index < size; index++) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
