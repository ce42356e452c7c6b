import { tidy } from '#tfjs-core';
import { goldenCases } from './golden-cases.ts';

/**
 * Runs every kernel on fixed inputs and hashes what it gives: name of the case to SHA-256, hexadecimal. Equal on every
 * machine and JavaScript engine, for one build of the kernels; `golden.json` has what is right.
 *
 * @example
 * await tf.setBackend('wasm');
 * await loadKernels();
 * const hashes = await goldenHashes();
 */
export async function goldenHashes(): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const [name, run] of goldenCases()) {
    const bytes = tidy(() => joined(run().map((result) => bytesOf(result.dataSync<'float32' | 'bool'>()))));
    const digest = await crypto.subtle.digest('SHA-256', bytes);
    hashes[name] = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return hashes;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
