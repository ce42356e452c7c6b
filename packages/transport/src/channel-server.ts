import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { closeCodes } from '@gradwire/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Access, Granted } from './access.ts';
import type { Channel } from './channel.ts';
import {
  type ConnectionLimits,
  createCap,
  createConnectionWatch,
  defaultConnectionLimits,
} from './connection-caps.ts';
import { defaultUnreadLimits } from './frame-queue.ts';
import { defaultHeartbeat } from './heartbeat.ts';
import { proofHeader } from './proof.ts';
import { type Refusal, refuseUpgrade } from './refuse-upgrade.ts';
import { channelSubprotocol, checkedSubprotocol, webSocketLimits } from './web-socket-limits.ts';
import {
  type ChannelLimits,
  createWebSocketChannel,
  defaultMessagesPerSecond,
} from './web-socket-channel.ts';

/** Times and sizes that a channel server keeps to. */
export interface ChannelServerLimits extends ConnectionLimits, ChannelLimits {
  /** The first frame must arrive this soon after the upgrade; default 5,000. */
  readonly firstFrameMs: number;
}

/** Options of {@link createChannelServer}. */
export interface ChannelServerOptions {
  /** Its upgrade requests are taken over; everything else stays with the caller, closing included. */
  readonly server: Server;
  /** Path of the upgrade request; default `/`. */
  readonly path?: string;
  /** Who may join, see `createAccess`. */
  readonly access: Access;
  /** Largest frame that a client may send: `messageLimits({ role: 'worker' }).maxFrameBytes`. */
  readonly maxFrameBytes: number;
  /** Called for each client that was let in, before its first frame. */
  readonly onChannel: (channel: Channel) => void;
  readonly limits?: Partial<ChannelServerLimits>;
}

/** Accepts WebSocket clients on an HTTP server. */
export interface ChannelServer {
  /** Channels that are open now. */
  readonly channels: ReadonlySet<Channel>;
  /** Refuses new clients, closes all channels, and resolves when they have ended. The HTTP server stays open. */
  close(code?: number, reason?: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Turns upgrade requests of an HTTP server into channels. Clients are checked before the upgrade, so a stranger costs
 * one HTTP answer and never reaches the frame parser.
 *
 * @example
 * const server = http.createServer(httpServerOptions).listen(8787);
 * const access = createAccess({ run: 'first', token: createToken() });
 * const channels = createChannelServer({ server, access, maxFrameBytes, onChannel: serve });
 */
export function createChannelServer(options: ChannelServerOptions): ChannelServer {
  const { server, path = '/', access, maxFrameBytes, onChannel } = options;
  const limits = withDefaults(options);
  const proofs = new WeakMap<IncomingMessage, string | undefined>();
  const webSockets = createWebSocketServer(maxFrameBytes);
  webSockets.on('headers', (headers, request) => {
    const proof = proofs.get(request);
    if (proof !== undefined) headers.push(`${proofHeader}: ${proof}`);
  });
  const channels = new Set<Channel>();
  const cap = createCap(limits.maxChannels, limits.maxChannelsPerAddress);
  const watch = createConnectionWatch(limits);
  let isClosing = false;

  const admit = (request: IncomingMessage, address: string): Granted | Refusal => {
    if (request.url?.split('?', 1)[0] !== path) return refusals.path(path);
    const answer = access.check(request, 'worker');
    if ('status' in answer) return answer;
    if (isClosing) return refusals.closing;
    return cap.take(address) ? answer : refusals.full;
  };
  const open = (socket: WebSocket, stream: Socket, address: string): void => {
    const peer = `${address}:${stream.remotePort}`;
    const { firstFrameMs } = limits;
    const side = 'server';
    const channel = createWebSocketChannel({
      socket,
      stream,
      peer,
      side,
      maxFrameBytes,
      limits,
      firstFrameMs,
    });
    channels.add(channel);
    void channel.closed.then(() => channels.delete(channel));
    onChannel(channel);
  };
  const onUpgrade = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    const stream = duplex as Socket;
    stream.on('error', () => stream.destroy());
    const address = stream.remoteAddress ?? '';
    const answer = admit(request, address);
    if ('status' in answer) return refuseUpgrade(stream, answer);
    stream.once('close', () => cap.release(address));
    watch.authenticated(stream);
    proofs.set(request, answer.proof);
    webSockets.handleUpgrade(request, stream, head, (socket) => open(socket, stream, address));
  };
  const close = async (
    code = closeCodes.stopping.code,
    reason = closeCodes.stopping.sentence,
  ): Promise<void> => {
    isClosing = true;
    const open = [...channels];
    for (const channel of open) channel.close(code, reason);
    await Promise.all(open.map((channel) => channel.closed));
    server.off('upgrade', onUpgrade).off('connection', watch.onConnection);
  };
  server.on('upgrade', onUpgrade).on('connection', watch.onConnection);
  return { channels, close, [Symbol.asyncDispose]: () => close() };
}

const refusals = {
  closing: { status: 503, code: 'CLOSING', message: 'The coordinator is about to stop.' },
  full: { status: 503, code: 'FULL', message: 'The coordinator has as many connections as it accepts.' },
  path: (path: string): Refusal => ({
    status: 404,
    code: 'PATH_WRONG',
    message: `Workers join at the path ${path}.`,
  }),
} satisfies Record<string, Refusal | ((path: string) => Refusal)>;

function withDefaults({ maxFrameBytes, limits }: ChannelServerOptions): ChannelServerLimits {
  return {
    ...defaultConnectionLimits,
    ...defaultHeartbeat,
    ...defaultUnreadLimits,
    firstFrameMs: 5_000,
    closeTimeoutMs: 5_000,
    maxMessagesPerSecond: defaultMessagesPerSecond,
    maxBufferedBytes: Math.max(16 * 2 ** 20, 2 * maxFrameBytes),
    ...limits,
  };
}

function createWebSocketServer(maxFrameBytes: number): WebSocketServer {
  return new WebSocketServer({
    ...webSocketLimits(maxFrameBytes),
    noServer: true,
    clientTracking: false,
    // Never the protocol that carries the token: the answer may be logged.
    handleProtocols: (offered) =>
      [checkedSubprotocol, channelSubprotocol].find((known) => offered.has(known)) ?? false,
  });
}
