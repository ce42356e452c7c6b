// Gradients of a convolution of stride 1 without pooling. Nearly every output has a gradient there, and the tile does more
// multiplications a second than the lists of those that have one.
import { allocate, free } from './heap';
import { Convolution, copyBytes, layOut, readSample, Sample } from './convolution';
import { convolve } from './convolve';
import { storeTile } from './mat-mul';
import { multiplyTile, packPanels, panelBytes } from './tile';
import { transpose } from './transpose';
import { filterGradientSuitsWinograd, winogradFilterGradient } from './winograd-gradients';

/** Output pixels whose gradients are used at a time: 256 x 8 of them stay in the first-level cache. */
const depth: i32 = 256;

/** Whether the filter's gradient is computed here: a tile takes 4 input channels. */
export function filterGradientSuitsTile(g: Convolution): bool {
  return g.strideHeight == 1 && g.strideWidth == 1 && g.inChannels >= 4;
}

/**
 * Gradient by the filter: for each filter element the pixels of x that it met, times the gradients of the outputs. With x as
 * planes of a channel each, those pixels are runs of neighbours, as the tile reads them.
 */
export function denseFilterGradient(g: Convolution, x: usize, dy: usize, dFilter: usize): void {
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
  for (let sample = 0; sample < g.batch; sample++) {
    readSample(g, s, x);
    transpose(s.start, pixels, g.inChannels, s.pixelBytes, planes, planeBytes);
    for (let first = 0; first < g.outHeight; first += rows) {
      run.rows = min(rows, g.outHeight - first);
      packPanels(dy, g.outChannels << 2, run.rows * g.outWidth, g.outChannels, panels);
      addProducts(g, run, planes + first * run.runRowStep, planeBytes, panels, tile, dFilter);
      dy += (run.rows * g.outWidth * g.outChannels) << 2;
    }
    x += (g.inHeight * g.inWidth * g.inChannels) << 2;
  }
  if (s.isCopy) free(s.start);
  free(changetype<usize>(s));
  free(changetype<usize>(run));
  free(planes);
  free(panels);
  free(tile);
}

function addProducts(
  g: Convolution,
  run: Sample,
  planes: usize,
  planeBytes: i32,
  panels: usize,
  tile: usize,
  dFilter: usize,
): void {
  const panelSize = (run.rows * g.outWidth) << 5;
  const last = g.inChannels - 1;
  for (let column = 0; column < g.outChannels; column += 8, panels += panelSize) {
    const width = min(8, g.outChannels - column);
    let out = dFilter + (column << 2);
    for (let i = 0; i < g.filterHeight; i++) {
      for (let j = 0; j < g.filterWidth; j++) {
        const p = planes + i * g.dilationHeight * run.runRowStep + ((j * g.dilationWidth) << 2);
        for (let c = 0; c < g.inChannels; c += 4) {
          const p1 = p + min(c + 1, last) * planeBytes,
            p2 = p + min(c + 2, last) * planeBytes,
            p3 = p + min(c + 3, last) * planeBytes;
          multiplyTile(run, panels, p + c * planeBytes, p1, p2, p3, tile);
          const count = min(4, g.inChannels - c);
          storeTile(tile, out, g.outChannels << 2, count, width, true);
          out += (count * g.outChannels) << 2;
        }
      }
    }
  }
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
