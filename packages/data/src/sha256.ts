/**
 * The SHA-256 of `bytes` as 64 lower-case hexadecimal digits, computed off the main thread.
 * In browsers it needs a secure context (https or localhost), as `crypto.subtle` does.
 */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether `value` is a SHA-256 as {@link sha256Hex} writes it. */
export function isSha256Hex(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}
