import type { IncomingMessage } from 'node:http';
import { createNonces, createUsedOnce } from './nonces.ts';
import { type ChallengeAnswer, formatChallenge, parseAnswer, proofOf } from './proof.ts';
import { createHostCheck } from './known-hosts.ts';
import type { Refusal } from './refuse-upgrade.ts';
import type { Role } from './role.ts';
import { isSameSecret, observerToken } from './token.ts';

/** Options of {@link createAccess}. */
export interface AccessOptions {
  /** Name of the run. */
  readonly run: string;
  /** The join token, see `createToken`; the one for observers follows from it. */
  readonly token: string;
  /** Names of this machine besides its own, and hosts of web pages, from which a browser may ask. */
  readonly hosts?: readonly string[];
}

/** Who may do what: checks requests and upgrades before anything else happens with them. */
export interface Access {
  /** Whether a request comes from somebody with the right of `role`. */
  check(request: IncomingMessage, role: Role): Granted | Refusal;
}

/** Leave to go on. */
export interface Granted {
  /** Goes into the header `gradwire-proof` of the answer; a bearer asked for none. */
  readonly proof?: string;
}

/** A challenge is to be answered this soon. */
const maxAgeMs = 60_000;

/** Before the token in the list of subprotocols that a browser sends: it cannot set headers. */
const subprotocolPrefix = 'gradwire.token.';

/**
 * Lets in who knows the token: by challenge (`Authorization: Gradwire …`, see the README of `@gradwire/protocol`), or as a
 * bearer, in the header or, from browsers, in the list of subprotocols. A challenge's answer counts once. A bearer must have
 * been led here by a known name (`Host`), and by no page of a stranger (`Origin`).
 *
 * @throws RangeError if the token is empty: that would let everyone in.
 */
export function createAccess({ run, token, hosts }: AccessOptions): Access {
  if (token === '') throw new RangeError('token: expected at least one character, found none');
  const tokens: Readonly<Record<Role, string>> = { worker: token, observer: observerToken(token) };
  const nonces = createNonces(maxAgeMs);
  const answers = createUsedOnce(maxAgeMs);
  const name = encodeURIComponent(run);
  const findFault = createHostCheck(hosts);

  const refuse = (): Refusal => {
    const challenge = `${formatChallenge({ run: name, nonce: nonces.create() })}, Bearer realm="gradwire"`;
    return { ...wrongToken, challenge };
  };
  const checkAnswer = (answer: ChallengeAnswer, role: Role): Granted | Refusal => {
    const subject = { ...answer, run: name };
    const isBy = (key: string): boolean => isSameSecret(answer.proof, proofOf(key, 'client', subject));
    // Both, whatever the first says: the time it takes tells nothing.
    const [asWorker, asObserver] = [isBy(tokens.worker), isBy(tokens.observer)];
    if (!(asWorker || asObserver) || !nonces.isValid(answer.nonce)) return refuse();
    if (role === 'worker' && answer.role === 'observer') return mayOnlyWatch;
    if (answer.role === 'worker' && !asWorker) return mayOnlyWatch;
    if (!answers.use(answer.proof)) return refuse();
    return { proof: proofOf(asWorker ? tokens.worker : tokens.observer, 'coordinator', subject) };
  };
  const checkBearer = (given: string, role: Role): Granted | Refusal => {
    const [asWorker, asObserver] = [isSameSecret(given, tokens.worker), isSameSecret(given, tokens.observer)];
    if (!(asWorker || asObserver)) return refuse();
    return !asWorker && role === 'worker' ? mayOnlyWatch : {};
  };
  return {
    check(request, role) {
      const { authorization, 'sec-websocket-protocol': protocols } = request.headers;
      const answer = authorization === undefined ? undefined : parseAnswer(authorization);
      if (answer) return checkAnswer(answer, role);
      const given = bearerOf(authorization, protocols);
      // Without a bearer there is nothing that a page could have come by; the answer to a challenge is no page's.
      if (given === undefined) return refuse();
      return findFault(request.headers) ?? checkBearer(given, role);
    },
  };
}

const wrongToken = {
  status: 401,
  code: 'TOKEN_WRONG',
  message: 'The join token is missing or wrong: use the whole address that the coordinator prints.',
} as const;

const mayOnlyWatch: Refusal = {
  status: 403,
  code: 'ROLE_WRONG',
  message: 'This token may only watch the run: use the address that the coordinator prints for workers.',
};

function bearerOf(authorization: string | undefined, protocols = ''): string | undefined {
  if (authorization !== undefined) return /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  const offered = protocols.split(',').map((protocol) => protocol.trim());
  return offered.find((protocol) => protocol.startsWith(subprotocolPrefix))?.slice(subprotocolPrefix.length);
}
