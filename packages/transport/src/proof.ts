import { createHmac, randomBytes } from 'node:crypto';
import type { Role } from './role.ts';

/** What a proof holds for: it is worth nothing for another run, role or challenge. */
export interface ProofSubject {
  /** As the challenge spells it. */
  readonly run: string;
  readonly role: Role;
  /** Of the coordinator's choice. */
  readonly nonce: string;
  /** Of the client's choice, another one for each request. */
  readonly clientNonce: string;
}

/** The coordinator's question. */
export type Challenge = Pick<ProofSubject, 'run' | 'nonce'>;

/** The client's answer: what `Authorization` carries. */
export interface ChallengeAnswer extends Omit<ProofSubject, 'run'> {
  readonly proof: string;
}

/** The header by which the coordinator shows that it knows the token too. */
export const proofHeader = 'gradwire-proof';

/** That `side` knows the token: HMAC-SHA256 in base64url. Neither side's proof can be used as the other's. */
export function proofOf(token: string, side: 'client' | 'coordinator', subject: ProofSubject): string {
  const { run, role, nonce, clientNonce } = subject;
  const lines = ['gradwire', side, run, role, nonce, clientNonce];
  return createHmac('sha256', token).update(lines.join('\n')).digest('base64url');
}

export function createNonce(): string {
  return randomBytes(16).toString('base64url');
}

/** For `WWW-Authenticate`. */
export function formatChallenge({ run, nonce }: Challenge): string {
  return `Gradwire run="${run}", nonce="${nonce}"`;
}

/** Undefined if the header holds none. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const [, run, nonce] =
    /(?:^|, )Gradwire run="([\w.%!~*'()-]{1,1000})", nonce="([\w.-]{1,200})"/.exec(header ?? '') ?? [];
  return run === undefined || nonce === undefined ? undefined : { run, nonce };
}

/** For `Authorization`. */
export function formatAnswer({ role, nonce, clientNonce, proof }: ChallengeAnswer): string {
  return `Gradwire role="${role}", nonce="${nonce}", client="${clientNonce}", proof="${proof}"`;
}

/** Undefined if it is anything else. */
export function parseAnswer(header: string): ChallengeAnswer | undefined {
  const match =
    /^Gradwire role="(worker|observer)", nonce="([\w.-]{1,200})", client="([\w-]{16,64})", proof="([\w-]{43})"$/.exec(
      header,
    );
  if (match === null) return undefined;
  const [, role, nonce = '', clientNonce = '', proof = ''] = match;
  return { role: role as Role, nonce, clientNonce, proof };
}
