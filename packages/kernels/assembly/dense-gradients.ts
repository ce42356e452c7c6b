// Gradients of a convolution of stride 1 without pooling. Nearly every output has a gradient there, and the tile does more
// multiplications a second than the lists of those that have one.
import { allocate, free } from './heap';
import { Convolution, copyBytes, filterSize, layOut, readSample, Sample } from './convolution';
import { convolve } from './convolve';
import { storeTile } from './mat-mul';
import { filterGradientSuitsPointwise, pointwiseFilterGradient } from './pointwise';
import { multiplyTile, packPanels, panelBytes } from './tile';
import { transpose } from './transpose';
import { filterGradientSuitsWinograd, winogradFilterGradient } from './winograd-gradients';

/** Output pixels whose gradients are used at a time: 256 x 8 of them stay in the first-level cache. */
const depth: i32 = 256;

/** Whether the filter's gradient is computed here; a panel of few columns is not worth it for few rows. */
export function filterGradientSuitsTile(g: Convolution): bool {
  return g.strideHeight == 1 && g.strideWidth == 1 && (g.inChannels >= 4 || g.outChannels >= 4);
}

/**
 * Gradient by the filter: for each filter element the pixels of x that it met, times the gradients of the outputs. With x as
 * planes of a channel each, those pixels are runs of neighbours, as the tile reads them.
 */
export function denseFilterGradient(g: Convolution, x: usize, dy: usize, dFilter: usize): void {
  if (filterGradientSuitsPointwise(g)) {
    pointwiseFilterGradient(g, x, dy, dFilter);
    return;
  }
  if (filterGradientSuitsWinograd(g)) {
    winogradFilterGradient(g, x, dy, dFilter);
    return;
  }
  const s = changetype<Sample>(allocate(offsetof<Sample>()));
  layOut(g, s, false);
  const pixels = s.isCopy ? copyBytes(g) / s.pixelBytes : g.inHeight * g.inWidth;
  // No power of two, which would fall on the same lines of the cache.
  const planeBytes = (pixels << 2) + 64;
  const planes = allocate(g.inChannels * planeBytes);
  const rows = max(1, depth / g.outWidth);
  const panels = allocate(panelBytes(rows * g.outWidth, g.outChannels));
  const tile = allocate(128);
  memory.fill(dFilter, 0, (g.filterHeight * g.filterWidth * g.inChannels * g.outChannels) << 2);
  const run = changetype<Sample>(allocate(offsetof<Sample>()));
  run.columns = 1;
  run.runBytes = g.outWidth << 2;
  run.runRowStep = (s.rowBytes / s.pixelBytes) << 2;
  const offsets = offsetsOfElements(g, run.runRowStep, planeBytes);
  for (let sample = 0; sample < g.batch; sample++) {
    readSample(g, s, x);
    transpose(s.start, pixels, g.inChannels, s.pixelBytes, planes, planeBytes);
    for (let first = 0; first < g.outHeight; first += rows) {
      run.rows = min(rows, g.outHeight - first);
      packPanels(dy, g.outChannels << 2, run.rows * g.outWidth, g.outChannels, panels);
      addProducts(g, run, planes + first * run.runRowStep, offsets, panels, tile, dFilter);
      dy += (run.rows * g.outWidth * g.outChannels) << 2;
    }
    x += (g.inHeight * g.inWidth * g.inChannels) << 2;
  }
  if (s.isCopy) free(s.start);
  free(changetype<usize>(s));
  free(changetype<usize>(run));
  free(planes);
  free(offsets);
  free(panels);
  free(tile);
}

function addProducts(
  g: Convolution,
  run: Sample,
  planes: usize,
  offsets: usize,
  panels: usize,
  tile: usize,
  dFilter: usize,
): void {
  const panelSize = (run.rows * g.outWidth) << 5;
  const rows = filterSize(g);
  for (let column = 0; column < g.outChannels; column += 8, panels += panelSize) {
    const width = min(8, g.outChannels - column);
    let out = dFilter + (column << 2),
      offset = offsets;
    for (let row = 0; row < rows; row += 4, offset += 16) {
      const p0 = planes + load<i32>(offset),
        p1 = planes + load<i32>(offset, 4);
      multiplyTile(run, panels, p0, p1, planes + load<i32>(offset, 8), planes + load<i32>(offset, 12), tile);
      storeTile(tile, out, g.outChannels << 2, min(4, rows - row), width, true);
      out += g.outChannels << 4;
    }
  }
}

/**
 * For each filter element, `[height][width][channel]`: bytes from the start of the planes to the first pixel that it meets. The last
 * one is repeated for the tile; the caller frees the table.
 */
function offsetsOfElements(g: Convolution, rowBytes: i32, planeBytes: i32): usize {
  const count = filterSize(g);
  const offsets = allocate((count + 3) << 2);
  for (let i = 0; i < count + 3; i++) {
    const element = min(i, count - 1);
    const tap = element / g.inChannels;
    const row = (tap / g.filterWidth) * g.dilationHeight,
      column = (tap % g.filterWidth) * g.dilationWidth;
    store<i32>(offsets + (i << 2), (element % g.inChannels) * planeBytes + row * rowBytes + (column << 2));
  }
  return offsets;
}

/**
 * Gradient by x of a convolution of stride 1: a convolution of dy with the filter turned round, whose inputs and outputs
 * change places.
 *
 * @param geometry - of that convolution: from dy to dx.
 */
export function denseInputGradient(geometry: usize, dy: usize, filter: usize, dx: usize): void {
  const g = changetype<Convolution>(geometry);
  const elements = g.filterHeight * g.filterWidth;
  const matrix = (g.inChannels * g.outChannels) << 2;
  const turned = allocate(elements * matrix);
  for (let i = 0; i < elements; i++) {
    const from = filter + (elements - 1 - i) * matrix;
    transpose(from, g.outChannels, g.inChannels, g.inChannels << 2, turned + i * matrix, g.outChannels << 2);
  }
  convolve(geometry, dy, turned, 0, false, dx);
  free(turned);
}
