import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Before the token in the list of subprotocols that a browser sends: it cannot set headers. */
const subprotocolPrefix = 'gradwire.token.';

/** Makes a join token: 144 random bits as 24 characters that need no escaping in URLs, headers and subprotocols. */
export function createToken(): string {
  return randomBytes(18).toString('base64url');
}

/**
 * Whether an `Authorization` header carries the token as `Bearer <token>`, in time that does not depend on where
 * they differ.
 *
 * @throws RangeError if `token` is empty: that would let everyone in.
 */
export function checkToken(header: string | undefined, token: string): boolean {
  const [, given] = /^Bearer +(\S+)$/i.exec(header ?? '') ?? [];
  return isSameToken(given, token);
}

/** The same for an upgrade request, which may carry the token as the subprotocol `gradwire.token.<token>` instead. */
export function checkUpgradeToken(
  headers: {
    readonly authorization?: string | undefined;
    readonly 'sec-websocket-protocol'?: string | undefined;
  },
  token: string,
): boolean {
  if (headers.authorization !== undefined) return checkToken(headers.authorization, token);
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const given = offered.find((protocol) => protocol.startsWith(subprotocolPrefix));
  return isSameToken(given?.slice(subprotocolPrefix.length), token);
}

function isSameToken(given: string | undefined, token: string): boolean {
  if (token === '') throw new RangeError('token: expected at least one character, found none');
  // Digests have equal lengths, so the comparison tells nothing about the token's length either.
  return timingSafeEqual(digest(given ?? ''), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
