import { createHmac, randomBytes } from 'node:crypto';
import { createNonce } from './proof.ts';
import { isSameSecret } from './token.ts';

/** Questions of ours: recognised without a list, so that strangers cannot fill one. */
export interface Nonces {
  create(): string;
  /** Whether it is one of ours and not too old. */
  isValid(nonce: string): boolean;
}

/**
 * Nonces that carry the time of their making and a seal.
 *
 * @param now a clock in milliseconds that does not jump.
 */
export function createNonces(maxAgeMs: number, now: () => number = () => performance.now()): Nonces {
  const key = randomBytes(32);
  const seal = (text: string): string =>
    createHmac('sha256', key).update(text).digest('base64url').slice(0, 22);
  return {
    create() {
      const text = `${Math.floor(now()).toString(36)}.${createNonce()}`;
      return `${text}.${seal(text)}`;
    },
    isValid(nonce) {
      const end = nonce.lastIndexOf('.');
      const text = nonce.slice(0, Math.max(end, 0));
      if (!isSameSecret(nonce.slice(end + 1), seal(text))) return false;
      return now() - Number.parseInt(text, 36) <= maxAgeMs;
    },
  };
}

/** Remembers what was used for at least `maxAgeMs`, and forgets it after at most twice that time. */
export interface UsedOnce {
  /** False if it was used before. */
  use(text: string): boolean;
}

export function createUsedOnce(maxAgeMs: number, now: () => number = () => performance.now()): UsedOnce {
  let young = new Set<string>();
  let old = new Set<string>();
  let turnMs = now();
  return {
    use(text) {
      if (now() - turnMs > maxAgeMs) {
        old = now() - turnMs > 2 * maxAgeMs ? new Set() : young;
        young = new Set();
        turnMs = now();
      }
      if (young.has(text) || old.has(text)) return false;
      young.add(text);
      return true;
    },
  };
}
