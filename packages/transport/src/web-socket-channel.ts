import type { Socket } from 'node:net';
import { cleanLine, closeCodes } from '@gradwire/protocol';
import type { WebSocket } from 'ws';
import type { Channel, ChannelClosed } from './channel.ts';
import { createDrainWaiters } from './drain-waiters.ts';
import { sealFrame } from './frame-check.ts';
import { createFrameReader } from './frame-reader.ts';
import { createFrameWriter, type FrameWriter } from './frame-writer.ts';
import { createFrameQueue, type UnreadLimits } from './frame-queue.ts';
import { type HeartbeatOptions, slowestBytesPerMs, startHeartbeat } from './heartbeat.ts';
import { createRateLimit } from './rate-limit.ts';
import { checkedSubprotocol } from './web-socket-limits.ts';

/** Times and sizes that both sides of a channel keep to. */
export interface ChannelLimits extends HeartbeatOptions, UnreadLimits {
  /** How long the other side may take to answer a close, plus the time for what is still queued; default 5,000. */
  readonly closeTimeoutMs: number;
  /**
   * The channel ends as congested if more than this is waiting when the next frame is sent; a large frame that is under
   * way does not count. Default: 16 MiB or twice `maxFrameBytes`, whichever is more, on a server; 64 MiB on a client.
   */
  readonly maxBufferedBytes: number;
  /** Messages and pings that are read in a second: who sends more is slowed down; default 10,000. */
  readonly maxMessagesPerSecond: number;
}

export const defaultMessagesPerSecond = 10_000;

/** What a channel over a WebSocket is made of. */
export interface WebSocketChannelOptions {
  /** Open. */
  readonly socket: WebSocket;
  /** The connection underneath. */
  readonly stream: Socket;
  readonly peer: string;
  /** The client masks what it sends, the server sends pings. */
  readonly side: 'client' | 'server';
  /** Largest frame that the other side may send. */
  readonly maxFrameBytes: number;
  readonly limits: ChannelLimits;
  /** How long the first frame may take; absent: any time. */
  readonly firstFrameMs?: number;
}

const defaultDrainBytes = 2 ** 20;
const maxPongBacklogBytes = 65_536;

/** Makes a channel of an open WebSocket and takes over all its events. */
export function createWebSocketChannel(options: WebSocketChannelOptions): Channel {
  const { socket, stream, peer, side, limits } = options;
  const writer = createFrameWriter({
    socket,
    stream,
    isClient: side === 'client',
    onProgress: () => waiters.check(),
  });
  const waiters = createDrainWaiters(() => writer.bufferedBytes);
  const ending = createEnding(options, writer);
  const isChecked = socket.protocol === checkedSubprotocol;
  const read = createFrameReader({ ...options, isChecked });
  const pace = createPace(socket, limits.maxMessagesPerSecond, () => queue.isFull);
  const queue = createFrameQueue(limits, pace.resume);
  const stopHeartbeat = listen(options, ending);
  const firstFrameTimer = startFirstFrameTimer(options.firstFrameMs, ending);

  socket.on('message', (data, isBinary) => {
    if (ending.hasBegun) return;
    pace.count();
    const frame = read(data, isBinary);
    if (frame === undefined) return;
    if (!(frame instanceof Uint8Array)) return ending.close(frame.code, frame.reason);
    clearTimeout(firstFrameTimer);
    queue.push(frame);
    if (queue.isFull) socket.pause();
  });
  socket.on('ping', (data) => {
    pace.count();
    // Who pings without reading gets no pile of answers; what waits already is a sign of life.
    if (socket.bufferedAmount < maxPongBacklogBytes) socket.pong(data);
  });
  socket.on('error', (error) => ending.fail(error));
  socket.on('close', (code, reason) => {
    pace.stop();
    clearTimeout(firstFrameTimer);
    stopHeartbeat();
    queue.end();
    waiters.end();
    ending.finish(code, cleanLine(reason.toString(), 123));
  });

  return {
    peer,
    closed: ending.closed,
    frames: queue.frames,
    sendsAtOnce: false,
    get bufferedBytes() {
      return writer.bufferedBytes;
    },
    send(frame) {
      if (ending.hasBegun || socket.readyState !== socket.OPEN) return;
      const waiting = writer.bufferedBytes - writer.heldBytes;
      if (waiting > limits.maxBufferedBytes) {
        return ending.cut(closeCodes.congestion.code, `${waiting} bytes wait to be sent`);
      }
      writer.write(isChecked ? sealFrame(frame) : frame);
    },
    drained: (bytes = defaultDrainBytes) => waiters.wait(bytes),
    close: ending.close,
  };
}

/** Ends a channel over which nothing is heard, until the returned function is called. */
function listen({ socket, stream, side, limits }: WebSocketChannelOptions, ending: Ending): () => void {
  let received = 0;
  for (const event of ['message', 'ping', 'pong']) socket.on(event, () => (received += 1));
  // A client that has stopped reading does not see pings: it says by itself that it is there (RFC 6455, section 5.5.3).
  const ping = (): void => {
    if (side === 'server') socket.ping();
    else if (socket.isPaused) socket.pong();
  };
  return startHeartbeat(
    {
      received: () => received,
      receivedBytes: () => stream.bytesRead,
      bufferedBytes: () => socket.bufferedAmount,
      isPaused: () => socket.isPaused,
      ping,
      onSilence: (silentMs) => ending.cut(closeCodes.silence.code, `nothing heard for ${silentMs} ms`),
    },
    limits,
  );
}

/** Stops reading for a moment when more comes than is read in a second. */
interface Pace {
  count(): void;
  /** Reads on, unless it is resting or the queue is full. */
  readonly resume: () => void;
  stop(): void;
}

const restMs = 100;

function createPace(socket: WebSocket, maxMessagesPerSecond: number, isFull: () => boolean): Pace {
  const limit = createRateLimit(maxMessagesPerSecond);
  let rest: NodeJS.Timeout | undefined;
  const resume = (): void => {
    if (rest === undefined && !isFull()) socket.resume();
  };
  const wake = (): void => {
    rest = undefined;
    resume();
  };
  return {
    count() {
      if (limit.take() || rest !== undefined) return;
      socket.pause();
      rest = setTimeout(wake, restMs);
    },
    resume,
    stop: () => clearTimeout(rest),
  };
}

function startFirstFrameTimer(firstFrameMs: number | undefined, ending: Ending): NodeJS.Timeout | undefined {
  if (firstFrameMs === undefined) return undefined;
  const close = (): void => ending.close(closeCodes.helloTimeout.code, `no frame within ${firstFrameMs} ms`);
  return setTimeout(close, firstFrameMs).unref();
}

/** How a channel ends: the first reason counts. */
interface Ending {
  readonly closed: Promise<ChannelClosed>;
  /** Whether this side has decided to end the channel. */
  readonly hasBegun: boolean;
  /** Sends what is queued and says goodbye. */
  readonly close: (code: number, reason: string) => void;
  /** Drops the connection at once; the other side sees it break. */
  cut(code: number, reason: string): void;
  /** The library found an error; it ends the connection itself. */
  fail(error: Error): void;
  /** The connection is gone. */
  finish(code: number, reason: string): void;
}

function createEnding({ socket, limits }: WebSocketChannelOptions, writer: FrameWriter): Ending {
  let own: ChannelClosed | undefined;
  let timer: NodeJS.Timeout | undefined;
  let resolveClosed!: (closed: ChannelClosed) => void;
  const closed = new Promise<ChannelClosed>((resolve) => (resolveClosed = resolve));
  const begin = (code: number, reason: string): boolean => {
    if (own) return false;
    own = { code, reason };
    const timeoutMs = limits.closeTimeoutMs + writer.bufferedBytes / slowestBytesPerMs;
    timer = setTimeout(() => socket.terminate(), timeoutMs);
    // A paused socket would not see the other side's answer.
    socket.resume();
    return true;
  };
  return {
    closed,
    get hasBegun() {
      return own !== undefined;
    },
    close(code, reason) {
      if (begin(code, reason)) writer.whenHandedOver(() => socket.close(code, cutReason(reason)));
    },
    cut(code, reason) {
      begin(code, reason);
      socket.terminate();
    },
    fail(error) {
      begin(statusOf(error), error.message);
    },
    finish(code, reason) {
      clearTimeout(timer);
      resolveClosed(own ?? { code, reason });
    },
  };
}

/** The close code for an error of ws, whose own status is hidden behind a symbol. */
function statusOf(error: Error & { code?: string }): number {
  const { code = '' } = error;
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return 1009;
  if (code.startsWith('WS_ERR_TOO_MANY')) return 1008;
  return code.startsWith('WS_ERR') ? 1002 : 1006;
}

/** A close frame has room for 123 bytes of UTF-8 (RFC 6455, section 5.5). */
function cutReason(reason: string): string {
  let cut = reason.slice(0, 123);
  while (Buffer.byteLength(cut) > 123) cut = cut.slice(0, -1);
  return cut;
}
