import { Packr } from 'msgpackr';
import { cleanText } from './clean-text.ts';
import { vectorCodecs } from './codecs/vector-codecs.ts';
import { findHeaderProblem, headerSchemas } from './header-schemas.ts';
import { bounds } from './limits.ts';
import type { Message } from './messages.ts';
import { alignPayload, type TensorField, tensorFields, type TensorHeader } from './tensor-fields.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true, mapsAsObjects: true });

/**
 * Encodes a message into one frame, in a buffer of its own. Texts for people (`message`, `stack`, `log`, `reason`) are
 * cleaned of terminal escapes and cut to their limits; everything else must be valid.
 *
 * @throws TypeError if a field is invalid: a caller's bug.
 * @example
 * const frame = encodeMessage({ type: 'ready', numericsClass: 'wasm-0f3a' });
 * const message = decodeMessage(frame, messageLimits({ role: 'worker' }));
 */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const pieces = encodePieces(message);
  const frame = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    frame.set(piece, end);
    end += piece.length;
  }
  return frame;
}

/**
 * The same frame in pieces that follow each other: the header, then the tensors. A vector that is written as float32,
 * and metrics, are not copied: they must not change until the frame has left.
 *
 * @throws TypeError if a field is invalid: a caller's bug.
 */
export function encodePieces(message: Message): readonly Uint8Array[] {
  if (!Object.hasOwn(headerSchemas, message.type)) {
    throw new TypeError(
      `encodeMessage: type: expected a known message type, found ${message.type as string}`,
    );
  }
  const fields = tensorFields[message.type] ?? [];
  const tensors = fields.map((field) => describeTensor(message, field));
  const header = packr.pack(createHeader(message, tensors));
  const head = new Uint8Array(alignPayload(4 + header.length));
  new DataView(head.buffer).setUint32(0, header.length, true);
  head.set(header, 4);
  return [head, ...tensors.map(({ bytes }) => bytes)];
}

interface Tensor {
  readonly header: TensorHeader;
  readonly bytes: Uint8Array;
}

function describeTensor(message: Message, field: TensorField): Tensor {
  const { name } = field;
  const array = requireArray(message, field);
  if (array instanceof Float64Array) {
    // The bytes, not the numbers: that could change the payload of a NaN.
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    return { header: { name, dtype: 'float64', count: array.length }, bytes };
  }
  const codec = ('codec' in message ? message.codec : undefined) ?? vectorCodecs.float32;
  return { header: { name, dtype: codec.name, count: array.length }, bytes: codec.encode(array) };
}

function createHeader(message: Message, tensors: readonly Tensor[]): Record<string, unknown> {
  const tensorNames = tensors.map(({ header }) => header.name);
  const names = new Set([...tensorNames, ...(tensors.length > 0 ? ['codec'] : [])]);
  const entries = Object.entries(fitTexts(message)).filter(
    ([key, value]) => !names.has(key) && value !== undefined,
  );
  const header: Record<string, unknown> = Object.fromEntries(entries);
  if (tensors.length > 0) header['tensors'] = tensors.map((tensor) => tensor.header);
  const problem = findHeaderProblem(header, message.type);
  if (problem !== undefined) throw new TypeError(`encodeMessage: ${message.type}: ${problem}`);
  return header;
}

function fitTexts(message: Message): Message {
  switch (message.type) {
    case 'failed':
      return {
        ...message,
        message: cleanText(message.message, bounds.text),
        stack: cleanText(message.stack, bounds.stack),
        log: message.log.slice(-bounds.logLines).map((line) => cleanText(line, bounds.text)),
      };
    case 'leave':
      return { ...message, reason: cleanText(message.reason, bounds.text) };
    case 'end':
      return { ...message, message: cleanText(message.message, bounds.text) };
    default:
      return message;
  }
}

function requireArray(message: Message, { name, dtypes }: TensorField): Float32Array | Float64Array {
  const value: unknown = (message as unknown as Record<string, unknown>)[name];
  const Kind = dtypes.includes('float64') ? Float64Array : Float32Array;
  if (value instanceof Kind) return value;
  throw new TypeError(
    `encodeMessage: ${message.type}.${name}: expected a ${Kind.name}, found ${typeof value}`,
  );
}
