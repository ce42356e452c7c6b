import { crc32 } from 'node:zlib';
import { type Frame, piecesOf } from './frame.ts';

/** Bytes of the checksum behind each frame. */
export const checkBytes = 4;

const sealed = new WeakMap<Frame, readonly Uint8Array[]>();

/**
 * The frame with its CRC-32 behind it, little-endian. TCP's own sum has 16 bits, and the boxes between two machines make
 * it anew: what they damage passes. One frame that goes to many is summed once.
 */
export function sealFrame(frame: Frame): readonly Uint8Array[] {
  const known = sealed.get(frame);
  if (known) return known;
  const pieces = piecesOf(frame);
  const check = new Uint8Array(checkBytes);
  const sum = pieces.reduce((before, piece) => crc32(piece, before), 0);
  new DataView(check.buffer).setUint32(0, sum, true);
  const whole = [...pieces, check];
  sealed.set(frame, whole);
  return whole;
}

/** The frame without its checksum; undefined if the two do not fit: it was damaged on the way. */
export function openFrame(bytes: Uint8Array): Uint8Array | undefined {
  const end = bytes.length - checkBytes;
  if (end < 0) return undefined;
  const frame = bytes.subarray(0, end);
  const expected = new DataView(bytes.buffer, bytes.byteOffset + end, checkBytes).getUint32(0, true);
  return crc32(frame) === expected ? frame : undefined;
}
