import { checkBytes } from './frame-check.ts';
import { maxMessageBytes } from './large-frames.ts';

/** The subprotocol of Gradwire: a server that chooses neither of the two is not a coordinator. */
export const channelSubprotocol = 'gradwire';
/** The same, with a checksum behind each frame. */
export const checkedSubprotocol = 'gradwire.crc32';

/** Options of ws that both sides share. */
export interface WebSocketLimits {
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  readonly perMessageDeflate: false;
  readonly autoPong: false;
  readonly skipUTF8Validation: boolean;
  readonly closeTimeout: number;
}

/** Largest frame: enough for every model, and safe to announce. */
const largestFrameBytes = 2 ** 31 - 1;

/**
 * Bounds for the frame parser. A message of ours is one fragment; the pieces in which a frame arrives from the network
 * may be small, but millions of one-byte pieces would hold far more memory than the frame.
 *
 * @throws RangeError if `maxFrameBytes` is not an integer from 1 to 2^31 - 1.
 */
export function webSocketLimits(maxFrameBytes: number): WebSocketLimits {
  if (!Number.isInteger(maxFrameBytes) || maxFrameBytes < 1 || maxFrameBytes > largestFrameBytes) {
    throw new RangeError(
      `maxFrameBytes: expected an integer from 1 to ${largestFrameBytes}, found ${maxFrameBytes}`,
    );
  }
  const maxPayload = Math.min(maxFrameBytes + checkBytes, maxMessageBytes);
  return {
    maxPayload,
    maxFragments: 16,
    maxBufferedChunks: 1_024 + Math.ceil(maxPayload / 512),
    // Gradients do not compress, and each pair of contexts costs half a megabyte.
    perMessageDeflate: false,
    // The channel answers, as long as the answers are read.
    autoPong: false,
    skipUTF8Validation: false,
    // A day: the channel has its own timer, which allows time for what is still queued.
    closeTimeout: 86_400_000,
  };
}
