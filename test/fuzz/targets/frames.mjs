import { decodeMessage, encodeMessage, messageLimits } from '@gradwire/protocol';
import * as fc from 'fast-check';
import { Packr, Unpackr } from 'msgpackr';
import { exactParts, messages, parameters } from '../messages.mjs';
import { bytesFrom, joinBytes, valuesFrom } from '../mutate.mjs';

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
const limits = [
  messageLimits(),
  messageLimits({ role: 'worker', parameters, classes: 3 }),
  messageLimits({ role: 'coordinator' }),
  ...['bfloat16', 'int8', 'top-k', 'float16'].map((gradientCodec) =>
    messageLimits({ parameters, gradientCodec }),
  ),
  ...['int8', 'top-k'].map((gradientCodec) => messageLimits({ parameters, gradientCodec, exactParts })),
];

/** Frames of the wire, as either side gets them: bytes changed anywhere, or values changed inside a well-formed header. */
export function createTarget() {
  const frames = messages.map(encodeMessage);
  const parts = frames.map(split);
  const payload = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...parts.map((part) => part.payload)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
  );
  const resized = fc
    .tuple(valuesFrom(parts.map((part) => part.header)), payload)
    .map(([header, bytes]) => join(header, bytes));
  const frame = fc.oneof(bytesFrom(frames), resized);
  return {
    inputs: fc.tuple(frame, fc.constantFrom(...limits)),
    codes: ['MESSAGE_INVALID', 'VERSION_MISMATCH'],
    run([bytes, limit]) {
      const message = decodeMessage(bytes, limit);
      // What was accepted is a message that we could have sent ourselves.
      encodeMessage(message);
    },
  };
}

function split(frame) {
  const length = new DataView(frame.buffer).getUint32(0, true);
  const header = unpackr.unpack(frame.subarray(4, 4 + length));
  return { header, payload: frame.subarray(Math.ceil((4 + length) / 8) * 8) };
}

function join(value, payload) {
  const header = packr.pack(value);
  const head = new Uint8Array(Math.ceil((4 + header.length) / 8) * 8);
  new DataView(head.buffer).setUint32(0, header.length, true);
  head.set(header, 4);
  return joinBytes(head, payload);
}
