import { decodeSafetensors, encodeSafetensors } from '@gradwire/checkpoint';
import * as fc from 'fast-check';
import { bytesFrom, joinBytes, jsonOf, valuesFrom } from '../mutate.mjs';

const tensors = [
  { name: 'conv2d_1/kernel', shape: [3, 3, 1, 4], data: new Float32Array(36).fill(0.5) },
  { name: 'conv2d_1/bias', shape: [4], data: new Float32Array(4) },
  { name: 'counts', shape: [2, 2], data: new Float64Array(4) },
  { name: 'scalar', shape: [], data: Int16Array.of(3) },
  { name: 'none', shape: [0, 5], data: new Uint8Array(0) },
];

/** safetensors files: bytes changed anywhere, values changed inside a well-formed header, and texts that are hard on a scanner. */
export function createTarget() {
  const file = encodeSafetensors({ tensors, metadata: { note: 'a "quoted" text' } });
  const { header, body } = split(file);
  const changed = valuesFrom([header]).map((value) => join(jsonOf(value), body));
  const piece = fc.constantFrom(
    '"',
    '\\"',
    '\\',
    '\\\\',
    '{',
    '}',
    '[',
    ']',
    ' ',
    ':',
    '""',
    '"a":',
    'é',
    '{"a":{"shape":[',
    '\\u0061',
  );
  const long = fc
    .tuple(fc.array(piece, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 60_000 }))
    .map(([pieces, times]) => join(`{${pieces[0]}${pieces.join('').repeat(times)}`, body));
  return {
    inputs: fc.oneof(
      { weight: 40, arbitrary: bytesFrom([file]) },
      { weight: 58, arbitrary: changed },
      { weight: 2, arbitrary: long },
    ),
    codes: ['FILE_CORRUPT'],
    run: (bytes) => decodeSafetensors(bytes),
  };
}

function split(file) {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return {
    header: JSON.parse(Buffer.from(file.subarray(8, 8 + length)).toString()),
    body: file.subarray(8 + length),
  };
}

function join(header, body) {
  const text = Buffer.from(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return joinBytes(length, text, body);
}
