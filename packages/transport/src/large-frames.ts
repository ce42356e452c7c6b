import type { ChannelClosed } from './channel.ts';

/**
 * Largest WebSocket message. A larger frame travels as a text message `frame <bytes>` and then as binary messages of
 * this size, so that pings and other connections get their turn, and neither side holds the frame twice.
 */
export const maxMessageBytes: number = 4 * 2 ** 20;

/** The text message before the parts of a large frame. */
export function announcement(bytes: number): string {
  return `frame ${bytes}`;
}

/** Makes frames of the messages that arrive. A peer that breaks the rules gets the close that is returned. */
export interface FrameAssembler {
  /** A text message. */
  announce(text: string): ChannelClosed | undefined;
  /** A binary message: returns the frame that is complete with it, if any. */
  add(message: Uint8Array): Uint8Array | ChannelClosed | undefined;
}

export function createFrameAssembler(maxFrameBytes: number): FrameAssembler {
  let frame: Uint8Array | undefined;
  let end = 0;
  return {
    announce(text) {
      const bytes = Number(/^frame ([1-9]\d{0,9})$/.exec(text)?.[1]);
      if (Number.isNaN(bytes)) return { code: 1003, reason: 'frames must be binary' };
      if (frame) return { code: 1002, reason: `a frame was announced after ${end} of ${frame.length} bytes` };
      if (bytes > maxFrameBytes) {
        return { code: 1009, reason: `a frame of ${bytes} bytes, at most ${maxFrameBytes} are allowed` };
      }
      // Once, at its full size: the system provides the memory as it is filled.
      frame = new Uint8Array(bytes);
      end = 0;
      return undefined;
    },
    add(message) {
      if (!frame) return message;
      if (message.length > frame.length - end) {
        return { code: 1002, reason: `more than the ${frame.length} bytes that were announced` };
      }
      frame.set(message, end);
      end += message.length;
      if (end < frame.length) return undefined;
      const complete = frame;
      frame = undefined;
      return complete;
    },
  };
}
