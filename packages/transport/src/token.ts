import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Makes a join token: 144 random bits as 24 characters that need no escaping in URLs, headers and subprotocols. */
export function createToken(): string {
  return randomBytes(18).toString('base64url');
}

/**
 * The read-only token that goes with a join token. It follows from it, so that there is one secret to keep; the way back
 * would be to invert a hash.
 */
export function observerToken(token: string): string {
  return createHmac('sha256', token).update('gradwire observer').digest('base64url').slice(0, 24);
}

/** A token, and the SHA-256 of the certificate that the coordinator must show. */
export interface JoinSecret {
  readonly token: string;
  /** 64 lower-case hexadecimal digits. */
  readonly fingerprint: string | undefined;
}

/** Reads what stands after `#` in a printed address: `token` or `token,fingerprint`. Undefined: it is neither. */
export function parseJoinSecret(text: string): JoinSecret | undefined {
  const [, token, fingerprint] = /^([^\s,]+)(?:,([\da-f]{64}))?$/.exec(text) ?? [];
  return token === undefined ? undefined : { token, fingerprint };
}

/** Whether two texts are the same, in time that does not depend on where they differ. */
export function isSameSecret(given: string, expected: string): boolean {
  // Digests have equal lengths, so the comparison tells nothing about the length either.
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
