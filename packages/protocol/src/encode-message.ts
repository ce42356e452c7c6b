import { Packr } from 'msgpackr';
import { cleanText } from './clean-text.ts';
import { findHeaderProblem, headerSchemas } from './header-schemas.ts';
import { bounds } from './limits.ts';
import type { Message } from './messages.ts';
import { alignPayload, type TensorField, tensorFields } from './tensor-fields.ts';

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
  if (!Object.hasOwn(headerSchemas, message.type)) {
    throw new TypeError(
      `encodeMessage: type: expected a known message type, found ${message.type as string}`,
    );
  }
  const fields = tensorFields[message.type] ?? [];
  const arrays = fields.map((field) => requireArray(message, field));
  const header = packr.pack(createHeader(message, arrays));
  const payloadStart = alignPayload(4 + header.length);
  const payloadBytes = arrays.reduce((sum, array) => sum + array.byteLength, 0);
  const frame = new Uint8Array(payloadStart + payloadBytes);
  new DataView(frame.buffer).setUint32(0, header.length, true);
  frame.set(header, 4);
  let offset = payloadStart;
  for (const array of arrays) {
    // Byte by byte: setting numbers could change the payload of a NaN.
    frame.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), offset);
    offset += array.byteLength;
  }
  return frame;
}

function createHeader(
  message: Message,
  arrays: readonly (Float32Array | Float64Array)[],
): Record<string, unknown> {
  const fields = tensorFields[message.type];
  const names = new Set(fields?.map((field) => field.name));
  const entries = Object.entries(fitTexts(message)).filter(
    ([key, value]) => !names.has(key) && value !== undefined,
  );
  const header: Record<string, unknown> = Object.fromEntries(entries);
  if (fields) header['tensors'] = fields.map((field, index) => ({ ...field, count: arrays[index]?.length }));
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

function requireArray(message: Message, { name, dtype }: TensorField): Float32Array | Float64Array {
  const value: unknown = (message as unknown as Record<string, unknown>)[name];
  const isExpected = dtype === 'float32' ? value instanceof Float32Array : value instanceof Float64Array;
  if (isExpected) return value as Float32Array | Float64Array;
  const kind = dtype === 'float32' ? 'Float32Array' : 'Float64Array';
  throw new TypeError(`encodeMessage: ${message.type}.${name}: expected a ${kind}, found ${typeof value}`);
}
