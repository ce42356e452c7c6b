import type { Frame } from './frame.ts';

/** Why a channel ended. */
export interface ChannelClosed {
  /** WebSocket close code; the documented ones are in `@gradwire/protocol`. 1006: the connection broke. */
  readonly code: number;
  readonly reason: string;
}

/** A connection that carries whole binary frames in order, both ways. The receiver of a frame owns its bytes. */
export interface Channel {
  /** For people: the remote address, or a name in process. */
  readonly peer: string;
  /** Bytes accepted by `send` that have not left yet. */
  readonly bufferedBytes: number;
  /** Resolves when the channel has ended, for whatever reason. Never rejects. */
  readonly closed: Promise<ChannelClosed>;
  /** Frames in order of arrival; ends when the channel ends. Reading slowly stops the sender (back-pressure). One reader. */
  readonly frames: AsyncIterable<Uint8Array>;
  /** Whether a sent frame has left when `send` returns. */
  readonly sendsAtOnce: boolean;
  /** Queues one frame, whole or in pieces. After the end it does nothing. The bytes must not change until they have left. */
  send(frame: Frame): void;
  /** Resolves when fewer than `bytes` (default 1 MiB) are queued, or the channel has ended. */
  drained(bytes?: number): Promise<void>;
  /** Sends what is queued, then ends the channel with a code of the protocol. */
  close(code: number, reason: string): void;
}
