import { createHash } from 'node:crypto';

/** SHA-256 of bytes, as 64 lower-case hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The hash by which runs are compared: SHA-256 of the flat float32 little-endian weights, 64 hexadecimal digits.
 *
 * @example
 * weightsSha256(engine.weights()) === summary.weightsSha256;
 */
export function weightsSha256(weights: Float32Array): string {
  // Every machine that tfjs runs on is little-endian, so the array's own bytes are the format.
  return sha256(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength));
}
