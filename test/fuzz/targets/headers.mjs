import { scanHeader } from '@gradwire/protocol';
import * as fc from 'fast-check';
import { Unpackr } from 'msgpackr';
import { joinBytes } from '../mutate.mjs';

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

/** msgpack as a hostile peer writes it: any type byte, any announced length. What the scan lets through must be harmless to unpack. */
export function createTarget() {
  const length = fc.oneof(fc.nat({ max: 8 }), fc.constantFrom(31, 255, 65_535, 20_000_000, 2 ** 32 - 1));
  const item = fc
    .tuple(fc.nat({ max: 255 }), length, fc.uint8Array({ maxLength: 6 }))
    .map(([type, announced, body]) => joinBytes(Uint8Array.of(type), field(type, announced), body));
  const key = fc.constantFrom(Uint8Array.of(0xa1, 0x61), Uint8Array.of(0xa9, ...Buffer.from('__proto__')));
  const entry = fc.tuple(key, item).map(([name, value]) => joinBytes(name, value));
  const map = fc
    .array(entry, { maxLength: 12 })
    .map((entries) => joinBytes(Uint8Array.of(0x80 + entries.length), ...entries));
  const loose = fc
    .array(item, { maxLength: 20 })
    .map((items) => joinBytes(Uint8Array.of(0x81, 0xa1, 0x61), ...items));
  return {
    inputs: fc.oneof(map, loose),
    codes: ['MESSAGE_INVALID'],
    run(bytes) {
      scanHeader(bytes, { maxDepth: 8, maxItems: 80_000 });
      unpackr.unpack(bytes);
    },
  };
}

/** The length field that a type byte asks for. */
function field(type, announced) {
  const bytes = new Uint8Array({ 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4 }[type] ?? 0);
  for (let i = 0; i < bytes.length; i++) bytes[bytes.length - 1 - i] = Math.floor(announced / 256 ** i);
  return bytes;
}
