import { encodeMessage } from '@gradwire/protocol';
import * as fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { messages } from '../messages.mjs';
import { byteChanges, changeBytes, joinBytes } from '../mutate.mjs';
import { startVictim } from '../wire.mjs';

/**
 * Raw bytes of WebSockets, after an upgrade that is in order: every opcode, length, mask and fragmentation, around
 * messages of ours, with and without their checksum, and bytes changed anywhere.
 */
export async function createTarget() {
  const victim = await startVictim();
  const payloads = [
    ...messages.map(encodeMessage),
    Buffer.from('frame 5000000'),
    Buffer.from('frame 100'),
    Buffer.from('frame 99999999999'),
    Uint8Array.of(0x0f, 0xa0, 0x62, 0x79, 0x65),
    Uint8Array.of(0x03),
    new Uint8Array(0),
    new Uint8Array(125),
    new Uint8Array(70_000),
  ];
  const frame = fc.record({
    payload: fc.constantFrom(...payloads),
    opcode: fc.oneof({ weight: 4, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: fc.nat({ max: 15 }) }),
    isLast: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.boolean() }),
    reserved: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat({ max: 7 }) },
    ),
    mask: fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constantFrom(undefined, 0x12345678) },
    ),
    length: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(0, 1, 125, 126, 65_535, 65_536, 2 ** 31, 2 ** 53) },
    ),
  });
  return {
    inputs: fc.record({
      isChecked: fc.boolean(),
      frames: fc.array(frame, { minLength: 1, maxLength: 6 }),
      changes: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: byteChanges }),
    }),
    codes: [],
    async run({ isChecked, frames, changes }) {
      const bytes = joinBytes(...frames.map((each) => encode(each, isChecked)));
      const answer = await victim.send(
        joinBytes(upgrade(victim.token, isChecked), changes.reduce(changeBytes, bytes)),
      );
      if (!answer.toString('latin1').startsWith('HTTP/1.1 101'))
        throw new Error(`no upgrade: ${answer.toString('latin1').slice(0, 300)}`);
    },
    close: victim.close,
  };
}

function upgrade(token, isChecked) {
  const lines = [
    'GET / HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    `Sec-WebSocket-Protocol: ${isChecked ? 'gradwire.crc32' : 'gradwire'}`,
    `Authorization: Bearer ${token}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

/** RFC 6455, section 5.2; `length`: what is announced instead of the payload's. */
function encode({ payload, opcode, isLast, reserved, mask, length: announced }, isChecked) {
  const body = isChecked && opcode === 2 ? joinBytes(payload, check(payload)) : payload;
  const length = announced ?? body.length;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = new DataView(new ArrayBuffer(2 + extra + (mask === undefined ? 0 : 4)));
  head.setUint8(0, (isLast ? 0x80 : 0) | (reserved << 4) | opcode);
  head.setUint8(1, (mask === undefined ? 0 : 0x80) | (extra === 0 ? length : extra === 2 ? 126 : 127));
  if (extra === 2) head.setUint16(2, length);
  if (extra === 8) head.setBigUint64(2, BigInt(length));
  if (mask !== undefined) head.setUint32(2 + extra, mask);
  const key = [24, 16, 8, 0].map((shift) => ((mask ?? 0) >>> shift) & 255);
  return joinBytes(
    new Uint8Array(head.buffer),
    body.map((byte, i) => byte ^ key[i & 3]),
  );
}

function check(bytes) {
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, crc32(bytes), true);
  return sum;
}
