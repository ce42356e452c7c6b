import { invalidMessage } from '../invalid-message.ts';
import type { VectorCodec } from './vector-codec.ts';

/** Bits of the smallest float32 that is not finite, without the sign. */
export const infinityBits = 0x7f80_0000;

/** 1.5 x 2^52: added to a small float64 and taken away again, it rounds that to an integer, ties to even. */
export const rounder = 6_755_399_441_055_744;

/** The bits of float32 elements; the sign makes them negative. */
export function bitsOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

/** The same bytes at an address that is divisible by `size`: a copy only where they are not. */
export function align(bytes: Uint8Array, size: number): Uint8Array {
  // Not `bytes.slice`: on a Node Buffer that is a view again.
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
}

/** @throws GradwireError MESSAGE_INVALID unless a vector of `count` elements can have this many bytes. */
export function checkSize({ name, sizes }: VectorCodec, found: number, count: number): void {
  const { min, max } = sizes(count);
  if (found >= min && found <= max) return;
  const expected = min === max ? `${min}` : `${min} to ${max}`;
  throw invalidMessage(`${count} elements as ${name}: expected ${expected} bytes, found ${found}`);
}
