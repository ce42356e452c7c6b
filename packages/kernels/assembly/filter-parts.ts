// A filter seen by the backward passes: cut into parts that fit in registers, with the channels outermost inside a part.
import { allocateZeros, free } from './heap';
import { Convolution, Sample } from './convolution';
import { transpose } from './transpose';

/**
 * Floats of a whole part: 6 vectors. V8 loads all that a loop multiplies before the first product, so with 8 sums, 8 vectors
 * and a factor it kept one of the sums in memory, and each product waited for it: a third slower. What does not fill a
 * whole part is cut into parts of at most 4 floats.
 */
export const wholePart: i32 = 24;

/** Neighbouring filter elements of every output channel. */
@unmanaged
export class Part {
  /** Bytes from the pixel where the filter starts to the first element. */
  offset: i32;
  /** The first element's row in the filter matrix `[height width inputs x outputs]`. */
  row: i32;
  count: i32;
  /** `[channel][24 or 4]`; zeros behind the last element of a small part. */
  data: usize;
}

/** All parts: first the whole ones, then the small ones, their number filled up to a multiple of 4 with empty ones. */
@unmanaged
export class Parts {
  whole: i32;
  small: i32;
  table: usize;
  data: usize;
}

export function partAt(parts: Parts, i: i32): Part {
  return changetype<Part>(parts.table + i * offsetof<Part>());
}

/** Cuts the filter; the parts' data are zeros. */
export function createParts(g: Convolution, s: Sample): Parts {
  const run = s.runBytes >> 2;
  const runs = s.rows * s.columns;
  const parts = changetype<Parts>(allocateZeros(offsetof<Parts>()));
  parts.whole = runs * (run / wholePart);
  parts.small = (runs * ((run % wholePart + 3) >> 2) + 3) & ~3;
  parts.table = allocateZeros((parts.whole + parts.small) * offsetof<Part>());
  parts.data = allocateZeros((parts.whole * wholePart + parts.small * 4) * (g.outChannels << 2));
  let whole = 0,
    small = parts.whole;
  for (let i = 0; i < runs; i++) {
    const offset = (i / s.columns) * s.runRowStep + (i % s.columns) * s.runColumnStep;
    for (let at = 0; at < run; ) {
      const size = run - at >= wholePart ? wholePart : 4;
      const part = partAt(parts, size == wholePart ? whole++ : small++);
      part.offset = offset + (at << 2);
      part.row = i * run + at;
      part.count = min(size, run - at);
      at += size;
    }
  }
  placeData(g, parts);
  return parts;
}

function placeData(g: Convolution, parts: Parts): void {
  let data = parts.data;
  for (let i = 0; i < parts.whole + parts.small; i++) {
    partAt(parts, i).data = data;
    data += (g.outChannels << 2) * (i < parts.whole ? wholePart : 4);
  }
}

export function freeParts(parts: Parts): void {
  free(parts.table);
  free(parts.data);
  free(changetype<usize>(parts));
}

/** Copies the filter matrix into the parts, or the parts into the matrix. */
export function copyFilter(g: Convolution, parts: Parts, filter: usize, back: bool): void {
  const rowBytes = g.outChannels << 2;
  for (let i = 0; i < parts.whole + parts.small; i++) {
    const part = partAt(parts, i);
    const channelBytes = i < parts.whole ? wholePart << 2 : 16;
    const rows = filter + part.row * rowBytes;
    if (back) transpose(part.data, g.outChannels, part.count, channelBytes, rows, rowBytes);
    else transpose(rows, part.count, g.outChannels, rowBytes, part.data, channelBytes);
  }
}
