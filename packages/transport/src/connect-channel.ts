import type { Agent, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { GradwireError } from '@gradwire/errors';
import { WebSocket } from 'ws';
import type { Channel } from './channel.ts';
import { type ChannelAddress, parseChannelUrl } from './channel-url.ts';
import { createClientAgent } from './client-agent.ts';
import { answerChallenge, type ChallengeReply, secretFor } from './client-proof.ts';
import { connectionError, impostorError, refusalError } from './connect-errors.ts';
import { defaultUnreadLimits } from './frame-queue.ts';
import { defaultHeartbeat } from './heartbeat.ts';
import { parseChallenge, proofHeader } from './proof.ts';
import {
  type ChannelLimits,
  createWebSocketChannel,
  defaultMessagesPerSecond,
} from './web-socket-channel.ts';
import { channelSubprotocol, checkedSubprotocol, webSocketLimits } from './web-socket-limits.ts';

/** Times and sizes that a client keeps to. */
export interface ChannelClientLimits extends ChannelLimits {
  /** How long each request may take; default 10,000. */
  readonly connectTimeoutMs: number;
}

/** Options of {@link connectChannel}. */
export interface ConnectOptions {
  /** The join token, or `token,fingerprint`; default: the part of the URL after `#`. */
  readonly token?: string;
  /** Largest frame that the server may send: `messageLimits({ role: 'coordinator' }).maxFrameBytes`. */
  readonly maxFrameBytes: number;
  /** Stops connecting. It has no effect on an open channel. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<ChannelClientLimits>;
}

const defaultLimits: ChannelClientLimits = {
  ...defaultHeartbeat,
  ...defaultUnreadLimits,
  connectTimeoutMs: 10_000,
  closeTimeoutMs: 5_000,
  maxMessagesPerSecond: defaultMessagesPerSecond,
  maxBufferedBytes: 64 * 2 ** 20,
};

/**
 * Connects to a coordinator: asks for a challenge, answers it with a proof that this side knows the token, and checks the
 * coordinator's proof before anything else is said. The token itself is never sent.
 *
 * @throws GradwireError TOKEN_WRONG (no token, or the coordinator says so), IDENTITY_WRONG (it does not know the token
 * itself, or shows another certificate), CONNECTION_REFUSED (it is full or about to stop), CONNECTION_FAILED (not reachable, or not a coordinator),
 * OPTION_INVALID (bad URL, or `ws` with a fingerprint), CANCELLED (by the signal).
 * @example
 * const channel = await connectChannel('ws://10.0.0.5:8787/#token', {
 *   maxFrameBytes: messageLimits({ role: 'coordinator' }).maxFrameBytes,
 * });
 */
export async function connectChannel(url: string, options: ConnectOptions): Promise<Channel> {
  const address = parseChannelUrl(url);
  const secret = secretFor(address, options.token);
  const agent = createClientAgent(address, secret);
  const attempt = { ...options, address, agent, limits: { ...defaultLimits, ...options.limits } };
  let found = await open({ ...attempt, reply: undefined });
  for (let answers = 0; answers < maxAnswers && !('closed' in found); answers += 1) {
    const challenge = parseChallenge(found.response.headers['www-authenticate']);
    if (challenge === undefined) break;
    found = await open({ ...attempt, reply: answerChallenge(secret.token, challenge, 'worker') });
  }
  if ('closed' in found) return found;
  throw refusalError(found.response, found.body, address);
}

// A coordinator that was started again since its challenge does not know it any more, and asks anew.
const maxAnswers = 2;

interface Attempt extends Pick<ConnectOptions, 'maxFrameBytes' | 'signal'> {
  readonly address: ChannelAddress;
  readonly agent: Agent;
  readonly limits: ChannelClientLimits;
  /** Absent in the first attempt, which asks for the challenge. */
  readonly reply: ChallengeReply | undefined;
}

/** An answer that is no upgrade. */
interface Refused {
  readonly response: IncomingMessage;
  readonly body: string;
}

function open(attempt: Attempt): Promise<Channel | Refused> {
  const { address, agent, limits, maxFrameBytes, reply, signal } = attempt;
  const socket = new WebSocket(address.url, [checkedSubprotocol, channelSubprotocol], {
    ...webSocketLimits(maxFrameBytes),
    agent,
    ...(reply && { headers: { authorization: reply.authorization } }),
    // Masking protects proxies from scripts in browsers, which choose what is sent (RFC 6455, section 10.3). Nobody
    // does here, and it costs two passes over every gradient: a mask of zeros leaves the bytes as they are.
    generateMask: (mask) => void mask.fill(0),
    handshakeTimeout: limits.connectTimeoutMs,
    followRedirects: false,
  });
  return new Promise((resolve, reject) => {
    let upgrade: { readonly stream: Socket; readonly proof: unknown } | undefined;
    const cancel = (): void => {
      reject(
        new GradwireError('CANCELLED', `connecting to ${address.url} was stopped`, { cause: signal?.reason }),
      );
      socket.terminate();
    };
    const settle = (): void => signal?.removeEventListener('abort', cancel);
    // It stays: an attempt that is cut short reports an error once more.
    socket.on('error', (error) => {
      settle();
      reject(connectionError(error, address));
    });
    socket.once('unexpected-response', (request, response) => {
      settle();
      readText(response, 4_096).then((body) => {
        resolve({ response, body });
        request.destroy();
      }, reject);
    });
    socket.once(
      'upgrade',
      ({ socket: stream, headers }) => (upgrade = { stream, proof: headers[proofHeader] }),
    );
    socket.once('open', () => {
      settle();
      if (upgrade === undefined || reply?.isProof(upgrade.proof) !== true) {
        socket.terminate();
        const how = reply ? 'it cannot prove that it knows the token' : 'it lets everybody in';
        return reject(impostorError(address, how));
      }
      const peer = `${address.host}:${address.port}`;
      const { stream } = upgrade;
      // At once, before frames can arrive.
      resolve(createWebSocketChannel({ socket, stream, peer, side: 'client', maxFrameBytes, limits }));
    });
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
  });
}

/** At most `maxBytes` of a body; what came so far if it breaks off. */
async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.length;
      if (length >= maxBytes) break;
    }
  } catch {
    // What has arrived must do: the status says the most.
  }
  return Buffer.concat(pieces).subarray(0, maxBytes).toString();
}
