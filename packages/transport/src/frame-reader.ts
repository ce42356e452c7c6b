import { closeCodes } from '@gradwire/protocol';
import type { RawData } from 'ws';
import type { ChannelClosed } from './channel.ts';
import { checkBytes, openFrame } from './frame-check.ts';
import { createFrameAssembler } from './large-frames.ts';

/** Makes frames of the WebSocket messages that arrive. A peer that breaks the rules gets the close that is returned. */
export type FrameReader = (data: RawData, isBinary: boolean) => Uint8Array | ChannelClosed | undefined;

/** What frames are compared with. */
export interface FrameReaderOptions {
  readonly maxFrameBytes: number;
  /** Whether a checksum follows each frame. */
  readonly isChecked: boolean;
}

export function createFrameReader({ maxFrameBytes, isChecked }: FrameReaderOptions): FrameReader {
  const assembler = createFrameAssembler(maxFrameBytes + (isChecked ? checkBytes : 0));
  return (data, isBinary) => {
    const whole = isBinary ? assembler.add(toBytes(data)) : assembler.announce(toText(data));
    if (!(whole instanceof Uint8Array)) return whole;
    const frame = isChecked ? openFrame(whole) : whole;
    if (frame === undefined) {
      const { code } = closeCodes.damaged;
      return { code, reason: `a frame of ${whole.length} bytes does not fit its checksum` };
    }
    // The library's own limit has room for a checksum.
    return frame.length <= maxFrameBytes ? frame : { code: 1009, reason: `a frame of ${frame.length} bytes` };
  };
}

/** The library delivers a Buffer; its `slice` and `toString` differ from what users of a Uint8Array expect. */
function toBytes(data: RawData): Uint8Array {
  const buffer = data as Buffer;
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

function toText(data: RawData): string {
  return (data as Buffer).toString();
}
