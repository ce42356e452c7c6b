import { once } from 'node:events';
import { type Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { GradwireError, toError } from '@gradwire/errors';
import { type ChannelAddress, parseChannelUrl } from './channel-url.ts';
import { createClientAgent } from './client-agent.ts';
import { answerChallenge, type ChallengeReply, secretFor } from './client-proof.ts';
import { connectionError, impostorError, refusalError, silenceCode } from './connect-errors.ts';
import { type Challenge, parseChallenge, proofHeader } from './proof.ts';
import type { Role } from './role.ts';

/** Options of {@link createCoordinatorClient}. */
export interface CoordinatorClientOptions {
  /** As the coordinator prints it. */
  readonly url: string;
  /** The token, or `token,fingerprint`; default: the part of the URL after `#`. */
  readonly token?: string;
  /** The right to claim: the least that will do. */
  readonly role: Role;
}

/** What to ask. */
export interface CoordinatorRequest {
  /** With the query, for example `/status`. */
  readonly path: string;
  /** Sent by POST; without it the method is GET. */
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
  /** Nothing may come for this long, see `isSilence`; default: for as long as it takes. */
  readonly silenceMs?: number;
  /** Longer answers are an error; default 64 MiB. */
  readonly maxBytes?: number;
}

/** Asks a coordinator by HTTP. */
export interface CoordinatorClient {
  /**
   * The body of the answer.
   *
   * @throws GradwireError TOKEN_WRONG, IDENTITY_WRONG, CONNECTION_REFUSED (it said no, and why), CONNECTION_FAILED,
   * CANCELLED.
   */
  request(request: CoordinatorRequest): Promise<Uint8Array>;
}

/**
 * Makes a client that proves with each request that it knows the token, and checks with each answer that the coordinator
 * does. The token itself is never sent.
 *
 * @throws GradwireError OPTION_INVALID (bad URL), TOKEN_WRONG (no token).
 * @example
 * const client = createCoordinatorClient({ url: 'ws://10.0.0.5:8787/#token', role: 'observer' });
 * const status = await client.request({ path: '/status' });
 */
export function createCoordinatorClient(options: CoordinatorClientOptions): CoordinatorClient {
  const address = parseChannelUrl(options.url);
  const secret = secretFor(address, options.token);
  const agent = createClientAgent(address, secret);
  let challenge: Challenge | undefined;

  const attempt = async (request: CoordinatorRequest): Promise<Answer> => {
    const reply = challenge && answerChallenge(secret.token, challenge, options.role);
    const answer = await send({ address, agent, request, reply });
    challenge = parseChallenge(answer.response.headers['www-authenticate']) ?? challenge;
    return answer;
  };
  return {
    async request(request) {
      // The first question is only for a challenge: no body is sent in vain.
      const { body: _, ...question } = request;
      if (challenge === undefined) await attempt(question);
      let answer = await attempt(request);
      // The challenge was too old: the answer brought a new one.
      if (answer.response.statusCode === 401) answer = await attempt(request);
      const { response, body, isProven } = answer;
      const { statusCode } = response;
      if (statusCode === 200 && isProven) return body;
      if (statusCode === 200) throw impostorError(address, 'it cannot prove that it knows the token');
      throw refusalError(response, Buffer.from(body).toString(), address);
    },
  };
}

interface Question {
  readonly address: ChannelAddress;
  readonly agent: Agent;
  readonly request: CoordinatorRequest;
  readonly reply: ChallengeReply | undefined;
}

interface Answer {
  readonly response: IncomingMessage;
  readonly body: Uint8Array;
  /** Whether the coordinator has shown that it knows the token. */
  readonly isProven: boolean;
}

async function send({ address, agent, request, reply }: Question): Promise<Answer> {
  const { path, body, signal, silenceMs, maxBytes = 64 * 2 ** 20 } = request;
  const ask = address.isSecure ? httpsRequest : httpRequest;
  const scheme = address.isSecure ? 'https' : 'http';
  const asked = ask(`${scheme}://${address.authority}${address.path.replace(/\/$/, '')}${path}`, {
    agent,
    method: body ? 'POST' : 'GET',
    headers: {
      ...(body && { 'content-length': body.byteLength }),
      ...(reply && { authorization: reply.authorization }),
    },
    ...(signal && { signal }),
    ...(silenceMs !== undefined && { timeout: silenceMs }),
  });
  // It stays: a request whose answer is cut short reports an error once more.
  asked.on('error', () => undefined);
  let silence: Error | undefined;
  asked.once('timeout', () => {
    silence = Object.assign(new Error(`nothing came for ${silenceMs} ms`), { code: silenceCode });
    asked.destroy(silence);
    closeIdle(agent);
  });
  try {
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const isProven = reply?.isProof(response.headers[proofHeader]) === true;
    return { response, body: await readBody(response, maxBytes), isProven };
  } catch (thrown) {
    // An answer that was cut short says only that it was.
    const error = silence ?? toError(thrown);
    if (signal?.aborted) {
      throw new GradwireError('CANCELLED', `asking ${address.url} was stopped`, { cause: error });
    }
    throw connectionError(error, address);
  }
}

/** After a silence: they are cut off too, and the next requests would wait on them as long. */
function closeIdle({ freeSockets }: Agent): void {
  for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > maxBytes) throw new Error(`expected an answer of at most ${maxBytes} bytes, found more`);
  }
  return Buffer.concat(pieces);
}
