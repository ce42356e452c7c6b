import { allocateZeros } from './heap';

/**
 * A 2-D convolution, NHWC, and the max-pooling (2 x 2, stride 2) behind it if there is any. The fields lie in memory in
 * this order, 4 bytes each; `src/convolution.ts` writes them.
 */
@unmanaged
export class Convolution {
  batch: i32;
  inHeight: i32;
  inWidth: i32;
  inChannels: i32;
  filterHeight: i32;
  filterWidth: i32;
  strideHeight: i32;
  strideWidth: i32;
  dilationHeight: i32;
  dilationWidth: i32;
  padTop: i32;
  padLeft: i32;
  outHeight: i32;
  outWidth: i32;
  outChannels: i32;
  /** Sides of the pooled map. */
  poolHeight: i32;
  poolWidth: i32;
}

/** Number of weights that one output channel has. */
export function filterSize(g: Convolution): i32 {
  return g.filterHeight * g.filterWidth * g.inChannels;
}

/**
 * How one sample lies in memory. A filter meets it in `rows x columns` runs of `runBytes` neighbouring bytes; without
 * dilation a run is a whole filter row.
 */
@unmanaged
export class Sample {
  /** Address of pixel (0, 0), padding included. */
  start: usize;
  /** Bytes from one row to the next. */
  rowBytes: i32;
  pixelBytes: i32;
  rows: i32;
  columns: i32;
  runBytes: i32;
  /** Bytes from a filter row's run to the next one's; the same for columns. */
  runRowStep: i32;
  runColumnStep: i32;
  /** Was the sample copied, because it needs padding? */
  isCopy: bool;
}

/**
 * Prepares the layout of samples; `start` is set by {@link readSample} or by the caller.
 *
 * @param copied - lay out a copy with padding even where the convolution has none.
 */
export function layOut(g: Convolution, s: Sample, copied: bool): void {
  const width = paddedWidth(g);
  s.isCopy = copied || g.padTop > 0 || g.padLeft > 0 || width > g.inWidth || paddedHeight(g) > g.inHeight;
  s.pixelBytes = g.inChannels << 2;
  s.rowBytes = (s.isCopy ? width : g.inWidth) * s.pixelBytes;
  s.rows = g.filterHeight;
  s.columns = g.dilationWidth == 1 ? 1 : g.filterWidth;
  s.runBytes = g.dilationWidth == 1 ? g.filterWidth * s.pixelBytes : s.pixelBytes;
  s.runRowStep = g.dilationHeight * s.rowBytes;
  s.runColumnStep = g.dilationWidth * s.pixelBytes;
  s.start = s.isCopy ? allocateZeros(copyBytes(g)) : 0;
}

/** Sides of the part of a padded sample that the filter visits. */
function paddedHeight(g: Convolution): i32 {
  return (g.outHeight - 1) * g.strideHeight + (g.filterHeight - 1) * g.dilationHeight + 1;
}

function paddedWidth(g: Convolution): i32 {
  return (g.outWidth - 1) * g.strideWidth + (g.filterWidth - 1) * g.dilationWidth + 1;
}

/** Size of a padded sample. */
export function copyBytes(g: Convolution): i32 {
  return (paddedHeight(g) * paddedWidth(g) * g.inChannels) << 2;
}

/** Makes the layout point at a sample of x, copying it into the padded scratch if there is one. */
export function readSample(g: Convolution, s: Sample, x: usize): void {
  if (s.isCopy) copyRows(g, s, x, false);
  else s.start = x;
}

/** Copies the scratch, without its padding, to a sample of the tensor. Visits nothing that the filter did not. */
export function writeSample(g: Convolution, s: Sample, x: usize): void {
  if (s.isCopy) copyRows(g, s, x, true);
}

function copyRows(g: Convolution, s: Sample, x: usize, back: bool): void {
  const rows = min(g.inHeight, paddedHeight(g) - g.padTop);
  const bytes = min(g.inWidth, paddedWidth(g) - g.padLeft) * s.pixelBytes;
  let inner = s.start + g.padTop * s.rowBytes + g.padLeft * s.pixelBytes;
  for (let row = 0; row < rows; row++) {
    if (back) memory.copy(x, inner, bytes);
    else memory.copy(inner, x, bytes);
    inner += s.rowBytes;
    x += g.inWidth * s.pixelBytes;
  }
}

/** Bytes from the start of a sample to the first pixel that output pixel (row, column) meets. */
export function pixelOffset(g: Convolution, s: Sample, row: i32, column: i32): i32 {
  return row * g.strideHeight * s.rowBytes + column * g.strideWidth * s.pixelBytes;
}
