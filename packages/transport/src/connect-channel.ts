import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { GradwireError } from '@gradwire/errors';
import { WebSocket } from 'ws';
import type { Channel } from './channel.ts';
import { type ChannelAddress, parseChannelUrl } from './channel-url.ts';
import { connectionError, refusalError } from './connect-errors.ts';
import { defaultUnreadLimits } from './frame-queue.ts';
import { defaultHeartbeat } from './heartbeat.ts';
import { type ChannelLimits, createWebSocketChannel } from './web-socket-channel.ts';
import { channelSubprotocol, webSocketLimits } from './web-socket-limits.ts';

/** Times and sizes that a client keeps to. */
export interface ChannelClientLimits extends ChannelLimits {
  /** How long connecting may take; default 10,000. */
  readonly connectTimeoutMs: number;
}

/** Options of {@link connectChannel}. */
export interface ConnectOptions {
  /** The join token; default: the part of the URL after `#`. */
  readonly token?: string;
  /** Largest frame that the server may send: `messageLimits({ role: 'coordinator' }).maxFrameBytes`. */
  readonly maxFrameBytes: number;
  /** Stops connecting. It has no effect on an open channel. */
  readonly signal?: AbortSignal;
  /** For `wss`: the certificates to trust, as PEM, instead of the system's. */
  readonly tls?: { readonly ca: string | Buffer };
  readonly limits?: Partial<ChannelClientLimits>;
}

const defaultLimits: ChannelClientLimits = {
  ...defaultHeartbeat,
  ...defaultUnreadLimits,
  connectTimeoutMs: 10_000,
  closeTimeoutMs: 5_000,
  maxBufferedBytes: 64 * 2 ** 20,
};

/**
 * Connects to a coordinator.
 *
 * @throws GradwireError TOKEN_WRONG (no token, or the coordinator says so), CONNECTION_REFUSED (it is full or about to
 * stop), CONNECTION_FAILED (not reachable, or not a coordinator), OPTION_INVALID (bad URL), CANCELLED (by the signal).
 * @example
 * const channel = await connectChannel('ws://10.0.0.5:8787/#token', {
 *   maxFrameBytes: messageLimits({ role: 'coordinator' }).maxFrameBytes,
 * });
 */
export async function connectChannel(url: string, options: ConnectOptions): Promise<Channel> {
  const address = parseChannelUrl(url);
  const token = options.token ?? address.token;
  if (token === undefined || token === '') {
    throw new GradwireError('TOKEN_WRONG', `no join token for ${address.url}`, {
      hint: 'Use the whole address that the coordinator prints, with the part after # (in quotes, if the shell needs it).',
    });
  }
  const limits = { ...defaultLimits, ...options.limits };
  const socket = new WebSocket(address.url, [channelSubprotocol], {
    ...webSocketLimits(options.maxFrameBytes),
    headers: { authorization: `Bearer ${token}` },
    // Masking protects proxies from scripts in browsers, which choose what is sent (RFC 6455, section 10.3). Nobody
    // does here, and it costs two passes over every gradient: a mask of zeros leaves the bytes as they are.
    generateMask: (mask) => void mask.fill(0),
    handshakeTimeout: limits.connectTimeoutMs,
    followRedirects: false,
    ...options.tls,
  });
  return waitForChannel(socket, address, { ...options, limits });
}

type WaitOptions = Pick<ConnectOptions, 'maxFrameBytes' | 'signal'> & {
  readonly limits: ChannelClientLimits;
};

function waitForChannel(
  socket: WebSocket,
  address: ChannelAddress,
  { limits, maxFrameBytes, signal }: WaitOptions,
): Promise<Channel> {
  return new Promise<Channel>((resolve, reject) => {
    let stream: Socket | undefined;
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
        reject(refusalError(response, body, address));
        request.destroy();
      }, reject);
    });
    socket.once('upgrade', (response) => (stream = response.socket));
    socket.once('open', () => {
      settle();
      if (stream === undefined) return reject(connectionError(new Error('no socket'), address));
      const peer = `${address.host}:${address.port}`;
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
