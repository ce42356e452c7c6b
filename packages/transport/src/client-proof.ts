import { GradwireError } from '@gradwire/errors';
import type { ChannelAddress } from './channel-url.ts';
import { type Challenge, createNonce, formatAnswer, proofOf } from './proof.ts';
import type { Role } from './role.ts';
import { isSameSecret, type JoinSecret, parseJoinSecret } from './token.ts';

/** What a client answers to a challenge, and how it knows the coordinator. */
export interface ChallengeReply {
  /** For `Authorization`. */
  readonly authorization: string;
  /** Whether the header `gradwire-proof` shows that the other side knows the token. */
  isProof(header: unknown): boolean;
}

/** Proves that this side knows the token, without telling it. */
export function answerChallenge(token: string, { run, nonce }: Challenge, role: Role): ChallengeReply {
  const subject = { run, nonce, role, clientNonce: createNonce() };
  return {
    authorization: formatAnswer({ ...subject, proof: proofOf(token, 'client', subject) }),
    isProof: (header) =>
      typeof header === 'string' && isSameSecret(header, proofOf(token, 'coordinator', subject)),
  };
}

/** The secret to join with: as given, else as the address has it. Throws TOKEN_WRONG. */
export function secretFor(address: ChannelAddress, given: string | undefined): JoinSecret {
  const secret = parseJoinSecret(given ?? address.secret ?? '');
  if (secret) return secret;
  throw new GradwireError('TOKEN_WRONG', `no join token for ${address.url}`, {
    hint: 'Use the whole address that the coordinator prints, with the part after # (in quotes, if the shell needs it).',
  });
}
