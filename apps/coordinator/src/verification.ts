import { createHmac, randomBytes } from 'node:crypto';
import type { Verification } from '@gradwire/engine';

/** Draws a share of all leases from a secret that never leaves this process: workers cannot tell which are computed twice. */
export function createVerification(share = 0): Verification | undefined {
  if (share === 0) return undefined;
  const secret = randomBytes(32);
  return {
    share,
    draw(round, leaf) {
      const digest = createHmac('sha256', secret).update(`${round} ${leaf}`).digest();
      return digest.readUInt32BE() / 2 ** 32;
    },
  };
}
