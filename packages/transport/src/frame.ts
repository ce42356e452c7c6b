/** The bytes of one frame: whole, or in pieces that follow each other without a gap. */
export type Frame = Uint8Array | readonly Uint8Array[];

/** Bytes of all pieces together. */
export function frameBytes(frame: Frame): number {
  return frame instanceof Uint8Array ? frame.length : frame.reduce((sum, { length }) => sum + length, 0);
}

/** A copy of the frame in one piece. */
export function joinFrame(frame: Frame): Uint8Array {
  const whole = new Uint8Array(frameBytes(frame));
  let end = 0;
  for (const piece of piecesOf(frame)) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

/** The frame's bytes cut into frames of `size` bytes, the last one with the rest. Nothing is copied. */
export function* cutFrame(frame: Frame, size: number): Generator<readonly Uint8Array[], void, undefined> {
  let pieces: Uint8Array[] = [];
  let room = size;
  for (const piece of piecesOf(frame)) {
    for (let start = 0; start < piece.length; ) {
      const part = piece.subarray(start, start + room);
      pieces.push(part);
      start += part.length;
      room -= part.length;
      if (room > 0) continue;
      yield pieces;
      pieces = [];
      room = size;
    }
  }
  if (pieces.length > 0) yield pieces;
}

export function piecesOf(frame: Frame): readonly Uint8Array[] {
  return frame instanceof Uint8Array ? [frame] : frame;
}
