// A filter seen by the backward passes: cut into parts that fit in registers, with the channels outermost inside a part.
import { allocateZeros, free } from './heap';
import { Convolution, Sample } from './convolution';
import { transpose } from './transpose';

/**
 * Floats of a whole part: 6 vectors. V8 loads all that a loop multiplies before the first product, so with 8 sums, 8 vectors
 * and a factor it kept one of the sums in memory, and each product waited for it: a third slower. What does not fill a
 * whole part is cut into a half one, if it fills that, and parts of at most 4 floats: a row of 3 pixels with a multiple of
 * 4 channels has none of these.
 */
export const wholePart: i32 = 24;
export const halfPart: i32 = 12;

/** Neighbouring filter elements of every output channel. */
@unmanaged
export class Part {
  /** Bytes from the pixel where the filter starts to the first element. */
  offset: i32;
  /** The first element's row in the filter matrix `[height width inputs x outputs]`. */
  row: i32;
  count: i32;
  /** `[channel][24, 12 or 4]`; zeros behind the last element of a small part. */
  data: usize;
}

/** All parts: the whole ones, the half ones, then the small ones, their number filled up to a multiple of 4 with empty ones. */
@unmanaged
export class Parts {
  whole: i32;
  half: i32;
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
  const rest = run % wholePart;
  parts.whole = runs * (run / wholePart);
  parts.half = runs * (rest / halfPart);
  parts.small = (runs * (((rest % halfPart) + 3) >> 2) + 3) & ~3;
  parts.table = allocateZeros(countParts(parts) * offsetof<Part>());
  const floats = parts.whole * wholePart + parts.half * halfPart + parts.small * 4;
  parts.data = allocateZeros(floats * (g.outChannels << 2));
  let whole = 0,
    half = parts.whole,
    small = half + parts.half;
  for (let i = 0; i < runs; i++) {
    const offset = (i / s.columns) * s.runRowStep + (i % s.columns) * s.runColumnStep;
    for (let at = 0; at < run; ) {
      const left = run - at;
      const part = partAt(parts, left >= wholePart ? whole++ : left >= halfPart ? half++ : small++);
      part.offset = offset + (at << 2);
      part.row = i * run + at;
      part.count = left >= wholePart ? wholePart : left >= halfPart ? halfPart : min(4, left);
      at += part.count;
    }
  }
  placeData(g, parts);
  return parts;
}

function placeData(g: Convolution, parts: Parts): void {
  let data = parts.data;
  for (let i = 0; i < countParts(parts); i++) {
    partAt(parts, i).data = data;
    data += (g.outChannels << 2) * floatsOf(parts, i);
  }
}

export function countParts(parts: Parts): i32 {
  return parts.whole + parts.half + parts.small;
}

/** Floats that a channel has in a part's data. */
function floatsOf(parts: Parts, i: i32): i32 {
  return i < parts.whole ? wholePart : i < parts.whole + parts.half ? halfPart : 4;
}

export function freeParts(parts: Parts): void {
  free(parts.table);
  free(parts.data);
  free(changetype<usize>(parts));
}

/** Copies the filter matrix into the parts, or the parts into the matrix. */
export function copyFilter(g: Convolution, parts: Parts, filter: usize, back: bool): void {
  const rowBytes = g.outChannels << 2;
  for (let i = 0; i < countParts(parts); i++) {
    const part = partAt(parts, i);
    const channelBytes = floatsOf(parts, i) << 2;
    const rows = filter + part.row * rowBytes;
    if (back) transpose(part.data, g.outChannels, part.count, channelBytes, rows, rowBytes);
    else transpose(rows, part.count, g.outChannels, rowBytes, part.data, channelBytes);
  }
}
