import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { cutFrame, type Frame, frameBytes, piecesOf } from './frame.ts';
import { announcement, maxMessageBytes } from './large-frames.ts';

/** Puts frames on a WebSocket in order: small ones at once, large ones message by message as the line takes them. */
export interface FrameWriter {
  /** Bytes that have not left yet. */
  readonly bufferedBytes: number;
  /** Of these, the rest of the oldest large frame: it waits in the sender's own memory. */
  readonly heldBytes: number;
  write(frame: Frame): void;
  /** Calls back when all that was written is with the socket: at once, unless large frames are under way. */
  whenHandedOver(callback: () => void): void;
}

/** What a frame writer works on. */
export interface FrameWriterOptions {
  /** Open. */
  readonly socket: WebSocket;
  /** The connection underneath. */
  readonly stream: Socket;
  readonly isClient: boolean;
  /** Called each time that bytes have left. */
  readonly onProgress: () => void;
}

/** What remains of a frame that waits for the line. */
interface HeldFrame {
  bytes: number;
  readonly messages: Iterator<string | readonly Uint8Array[], void, undefined>;
}

export function createFrameWriter({ socket, stream, isClient, onProgress }: FrameWriterOptions): FrameWriter {
  const held: HeldFrame[] = [];
  let handedOver: (() => void) | undefined;

  const progress = (): void => {
    pump();
    onProgress();
  };
  const writeMessage = (pieces: readonly Uint8Array[]): void => {
    // Past the library, which would join the pieces; what it sends itself is on the stream at once, so nothing mixes.
    stream.cork();
    stream.write(messageHeader(frameBytes(pieces), isClient));
    for (const piece of pieces) stream.write(piece);
    stream.write('', progress);
    stream.uncork();
  };
  /** Hands over messages while the line takes them, so that at most two are with the socket. */
  const pump = (): void => {
    // Nothing may follow a close; a frame that is cut off is lost with the connection.
    if (socket.readyState !== socket.OPEN) held.length = 0;
    for (let first = held[0]; first && socket.bufferedAmount < maxMessageBytes; first = held[0]) {
      const { value } = first.messages.next();
      if (value === undefined) held.shift();
      else if (typeof value === 'string') socket.send(value);
      else {
        first.bytes -= frameBytes(value);
        writeMessage(value);
      }
    }
    if (held.length > 0) return;
    handedOver?.();
    handedOver = undefined;
  };
  return {
    get bufferedBytes() {
      return held.reduce((sum, { bytes }) => sum + bytes, socket.bufferedAmount);
    },
    get heldBytes() {
      return held[0]?.bytes ?? 0;
    },
    write(frame) {
      const bytes = frameBytes(frame);
      if (held.length === 0 && bytes <= maxMessageBytes) return writeMessage(piecesOf(frame));
      held.push({ bytes, messages: messagesOf(frame) });
      pump();
    },
    whenHandedOver(callback) {
      handedOver = callback;
      pump();
    },
  };
}

function* messagesOf(frame: Frame): Generator<string | readonly Uint8Array[], void, undefined> {
  const bytes = frameBytes(frame);
  if (bytes <= maxMessageBytes) return yield piecesOf(frame);
  yield announcement(bytes);
  yield* cutFrame(frame, maxMessageBytes);
}

/** The header of a binary message in one fragment (RFC 6455, section 5.2); a mask of zeros leaves the bytes as they are. */
function messageHeader(bytes: number, isClient: boolean): Uint8Array {
  const mask = isClient ? 0x80 : 0;
  const maskBytes = isClient ? 4 : 0;
  if (bytes < 126) return Uint8Array.of(0x82, mask | bytes, ...new Uint8Array(maskBytes));
  const header = new DataView(new ArrayBuffer((bytes < 65_536 ? 4 : 10) + maskBytes));
  header.setUint8(0, 0x82);
  header.setUint8(1, mask | (bytes < 65_536 ? 126 : 127));
  if (bytes < 65_536) header.setUint16(2, bytes);
  else header.setBigUint64(2, BigInt(bytes));
  return new Uint8Array(header.buffer);
}
