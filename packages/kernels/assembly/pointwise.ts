// Convolutions of 1 x 1 and stride 1: products of matrices that lie in memory as the tiles of `strided-tile.ts` read them, with a
// pixel of any sample in each row.
import { allocate, allocateZeros, free } from './heap';
import { Convolution } from './convolution';
import { addOuterProducts, multiplyRows } from './strided-tile';
import { packPanels, panelBytes } from './tile';

/** Pixels that are used at a time: what they hold stays in the cache for all panels. */
const blockPixels: i32 = 32;

function isPointwise(g: Convolution): bool {
  const plain = g.filterHeight == 1 && g.filterWidth == 1 && g.strideHeight == 1 && g.strideWidth == 1;
  return plain && g.inHeight == g.outHeight && g.inWidth == g.outWidth;
}

function pixelsOf(g: Convolution): i32 {
  return g.batch * g.outHeight * g.outWidth;
}

/** Whether {@link convolvePointwise} takes the shapes: whole tiles. */
export function suitsPointwise(g: Convolution): bool {
  return isPointwise(g) && ((pixelsOf(g) & 3) | (g.outChannels & 7)) == 0;
}

/** As `convolve`, without bias and relu. */
export function convolvePointwise(g: Convolution, x: usize, filter: usize, y: usize): void {
  const rowBytes = g.inChannels << 2,
    pixel = g.outChannels << 2;
  const panels = allocate(panelBytes(g.inChannels, g.outChannels));
  packPanels(filter, pixel, g.inChannels, g.outChannels, panels);
  for (let left = pixelsOf(g); left > 0; left -= blockPixels) {
    for (let i = 0; i < pixel; i += 32) {
      multiplyRows(x, rowBytes, min(left, blockPixels), panels + i * g.inChannels, y + i, pixel);
    }
    x += blockPixels * rowBytes;
    y += blockPixels * pixel;
  }
  free(panels);
}

/** Whether {@link pointwiseFilterGradient} takes the shapes: whole tiles. */
export function filterGradientSuitsPointwise(g: Convolution): bool {
  return isPointwise(g) && ((g.inChannels & 3) | (g.outChannels & 7)) == 0;
}

/** As `denseFilterGradient`. */
export function pointwiseFilterGradient(g: Convolution, x: usize, dy: usize, dFilter: usize): void {
  const rowBytes = g.inChannels << 2,
    pixel = g.outChannels << 2;
  const sums = allocateZeros(g.inChannels * pixel);
  for (let left = pixelsOf(g); left > 0; left -= blockPixels) {
    addOuterProducts(min(left, blockPixels), x, rowBytes, dy, pixel, sums);
    x += blockPixels * rowBytes;
    dy += blockPixels * pixel;
  }
  let tile = sums;
  for (let i = 0; i < g.inChannels; i += 4) {
    for (let o = 0; o < pixel; o += 32, tile += 128) {
      for (let row = 0; row < 4; row++) memory.copy(dFilter + (i + row) * pixel + o, tile + (row << 5), 32);
    }
  }
  free(sums);
}
