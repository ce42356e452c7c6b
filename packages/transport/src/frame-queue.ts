/** How much may wait unread before the sender is stopped. */
export interface UnreadLimits {
  readonly maxUnreadFrames: number;
  readonly maxUnreadBytes: number;
}

export const defaultUnreadLimits: UnreadLimits = { maxUnreadFrames: 256, maxUnreadBytes: 4 * 2 ** 20 };

/** Frames that have arrived and wait for the one reader. */
export interface FrameQueue {
  /** Ends after {@link end}, when everything has been read. A reader that stops early discards what comes later. */
  readonly frames: AsyncIterable<Uint8Array>;
  /** Whether the sender should be stopped. */
  readonly isFull: boolean;
  push(frame: Uint8Array): void;
  /** Nothing more will come. What waits can still be read. */
  end(): void;
}

/** @param onRoom is called each time a full queue has room again. */
export function createFrameQueue(limits: UnreadLimits, onRoom: () => void): FrameQueue {
  const unread: Uint8Array[] = [];
  let unreadBytes = 0;
  let isEnded = false;
  let hasReader = false;
  let wake: (() => void) | undefined;

  const isFull = (): boolean =>
    unread.length >= limits.maxUnreadFrames || unreadBytes >= limits.maxUnreadBytes;
  const takeOut = (frames: number): Uint8Array[] => {
    const wasFull = isFull();
    const taken = unread.splice(0, frames);
    for (const frame of taken) unreadBytes -= frame.length;
    if (wasFull && !isFull()) onRoom();
    return taken;
  };
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const [frame] = takeOut(1);
        if (frame) yield frame;
        else if (isEnded) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      isEnded = true;
      takeOut(unread.length);
    }
  }
  return {
    frames: {
      [Symbol.asyncIterator]: () => {
        if (hasReader) throw new TypeError('channel.frames: expected one reader, found a second one');
        hasReader = true;
        return read();
      },
    },
    get isFull() {
      return isFull();
    },
    push(frame) {
      if (isEnded) return;
      unread.push(frame);
      unreadBytes += frame.length;
      wake?.();
    },
    end() {
      isEnded = true;
      wake?.();
    },
  };
}
