import { closeCodes } from '@gradwire/protocol';
import type { Channel, ChannelClosed } from './channel.ts';
import { createDrainWaiters } from './drain-waiters.ts';
import { type Frame, frameBytes, joinFrame } from './frame.ts';
import { createFrameQueue, defaultUnreadLimits, type FrameQueue, type UnreadLimits } from './frame-queue.ts';

/** Options of {@link createPair}. */
export interface PairOptions extends Partial<UnreadLimits> {
  /** What each end calls the other: `channels[0].peer`, `channels[1].peer`. */
  readonly peers?: readonly [string, string];
  /** A channel with more than this waiting behind the next frame ends as congested; default 64 MiB. */
  readonly maxBufferedBytes?: number;
}

const defaultDrainBytes = 2 ** 20;

/**
 * Two connected channels in one process: for a worker inside the coordinator's process, and for tests. They behave
 * as WebSocket channels do: frames arrive later, are copied, and stop flowing when the reader stops reading.
 *
 * @example
 * const [coordinator, worker] = createPair();
 * worker.send(frame);
 * for await (const received of coordinator.frames) handle(received);
 */
export function createPair(options: PairOptions = {}): [Channel, Channel] {
  const { peers = ['in-process 1', 'in-process 2'], maxBufferedBytes = 64 * 2 ** 20 } = options;
  const limits = { ...defaultUnreadLimits, ...options };
  const end: PairEnd = { closed: undefined, onClosed: [] };
  const [toFirst, toSecond] = [createLane(limits), createLane(limits)];
  const first = createEnd({ peer: peers[0], inbound: toFirst, outbound: toSecond, end, maxBufferedBytes });
  const second = createEnd({ peer: peers[1], inbound: toSecond, outbound: toFirst, end, maxBufferedBytes });
  return [first, second];
}

/** One direction: what was sent and has not arrived, and what has arrived and was not read. */
interface Lane {
  readonly queue: FrameQueue;
  readonly bufferedBytes: () => number;
  /** Of these, the frame that arrives next. */
  readonly nextBytes: () => number;
  readonly drained: (bytes: number) => Promise<void>;
  send(frame: Frame): void;
  /** Everything sent arrives, and nothing after it. */
  finish(): void;
  /** What was sent is lost. */
  cut(): void;
}

function createLane(limits: UnreadLimits): Lane {
  let waiting: Uint8Array[] = [];
  let bufferedBytes = 0;
  const waiters = createDrainWaiters(() => bufferedBytes);
  const deliver = (maxFrames: number): void => {
    for (const frame of waiting.splice(0, maxFrames)) {
      bufferedBytes -= frame.length;
      queue.push(frame);
    }
  };
  const pump = (): void => {
    while (waiting.length > 0 && !queue.isFull) deliver(1);
    waiters.check();
  };
  const queue = createFrameQueue(limits, () => queueMicrotask(pump));
  const stop = (): void => {
    queue.end();
    waiters.end();
  };
  return {
    queue,
    bufferedBytes: () => bufferedBytes,
    nextBytes: () => waiting[0]?.length ?? 0,
    drained: waiters.wait,
    send(frame) {
      // Both ends own their bytes: a sender may send one frame to many.
      waiting.push(joinFrame(frame));
      bufferedBytes += frameBytes(frame);
      queueMicrotask(pump);
    },
    finish() {
      deliver(waiting.length);
      stop();
    },
    cut() {
      waiting = [];
      bufferedBytes = 0;
      stop();
    },
  };
}

/** The state that both ends share: a pair ends as a whole. */
interface PairEnd {
  closed: ChannelClosed | undefined;
  readonly onClosed: ((closed: ChannelClosed) => void)[];
}

interface EndOptions {
  readonly peer: string;
  readonly inbound: Lane;
  readonly outbound: Lane;
  readonly end: PairEnd;
  readonly maxBufferedBytes: number;
}

function createEnd({ peer, inbound, outbound, end, maxBufferedBytes }: EndOptions): Channel {
  const closed = new Promise<ChannelClosed>((resolve) => end.onClosed.push(resolve));
  const finish = (result: ChannelClosed, stop: (lane: Lane) => void): void => {
    if (end.closed) return;
    end.closed = result;
    stop(outbound);
    stop(inbound);
    for (const resolve of end.onClosed) resolve(result);
  };
  return {
    peer,
    closed,
    frames: inbound.queue.frames,
    sendsAtOnce: true,
    get bufferedBytes() {
      return outbound.bufferedBytes();
    },
    send(frame) {
      if (end.closed) return;
      if (outbound.bufferedBytes() - outbound.nextBytes() > maxBufferedBytes) {
        const { code, sentence } = closeCodes.congestion;
        finish({ code, reason: sentence }, (lane) => lane.cut());
        return;
      }
      outbound.send(frame);
    },
    drained: (bytes = defaultDrainBytes) => outbound.drained(bytes),
    close: (code, reason) => finish({ code, reason }, (lane) => lane.finish()),
  };
}
