// Winograd's F(2 x 2, 3 x 3): the four outputs of a window of 2 x 2 from 16 products a channel instead of 36; the windows are
// those of the pooling, if there is any.
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), section 4.1. The products of all windows with
// all filters at one of the 16 positions form a matrix product, so that the tile does the work here too.
import { allocate, free } from './heap';
import { Convolution, layOut, pixelOffset, readSample, Sample } from './convolution';
import { poolHalf, storeHalf } from './pool-window';
import { multiplyRows } from './strided-tile';
import { packPanels, panelBytes } from './tile';

/** Windows transformed at a time; a multiple of 4. */
const blockWindows: i32 = 16;
const positions: i32 = 16;
/** Bytes from one position's products to the next one's: no power of two, which would fall on the same lines of the cache. */
const productStep: i32 = (blockWindows << 5) + 64;

/** The same for the transformed inputs. */
function inputStep(g: Convolution): i32 {
  return blockWindows * (g.inChannels << 2) + 64;
}

/** A convolution of stride 1 by 3 x 3 neighbours. */
export function isThreeByThree(g: Convolution): bool {
  const plain = g.strideHeight == 1 && g.strideWidth == 1 && g.dilationHeight == 1 && g.dilationWidth == 1;
  return plain && g.filterHeight == 3 && g.filterWidth == 3;
}

/** The same convolution with the outputs of `rows x columns` windows, no more and no fewer; the caller frees it. */
export function ofWindows(g: Convolution, rows: i32, columns: i32): Convolution {
  const whole = changetype<Convolution>(allocate(offsetof<Convolution>()));
  memory.copy(changetype<usize>(whole), changetype<usize>(g), offsetof<Convolution>());
  whole.outHeight = 2 * rows;
  whole.outWidth = 2 * columns;
  return whole;
}

/** Whether the shapes allow it, and let it gain: the transformations must cost less than they save. */
export function suitsWinograd(g: Convolution, pooled: bool): bool {
  const wide = g.inChannels >= 12 && (g.inChannels & 3) == 0;
  const gains = pooled
    ? 2 * g.poolHeight <= g.outHeight && 2 * g.poolWidth <= g.outWidth
    : // Windows over an odd edge compute what is not stored.
      8 * ((g.outHeight + 1) >> 1) * ((g.outWidth + 1) >> 1) <= 3 * g.outHeight * g.outWidth;
  return isThreeByThree(g) && gains && wide;
}

/** What all blocks share. */
@unmanaged
class Transforms {
  /** `[window][channel]` of the inputs for each position. */
  inputs: usize;
  /** Panels of the filters for each position. */
  filters: usize;
  /** `[window][8]` for each position: the products for one panel. */
  products: usize;
  /** Where the four outputs of each window go; with pooling only the first is set. */
  places: usize;
  /** For outputs outside the map. */
  unused: usize;
}

/** As `convolvePool`, or as `convolve` if `index` is 0; `bias` being filled up to whole panels. */
export function convolveWinograd(
  g: Convolution,
  x: usize,
  filter: usize,
  bias: usize,
  relu: bool,
  y: usize,
  index: usize,
): void {
  const t = createTransforms(g, filter);
  const rows = index ? g.poolHeight : (g.outHeight + 1) >> 1,
    columns = index ? g.poolWidth : (g.outWidth + 1) >> 1;
  const whole = ofWindows(g, rows, columns);
  const s = changetype<Sample>(allocate(offsetof<Sample>()));
  layOut(whole, s, false);
  const pixel = g.outChannels << 2;
  let slot = 0,
    map = y;
  for (let sample = 0; sample < g.batch; sample++, x += (g.inHeight * g.inWidth * g.inChannels) << 2) {
    readSample(whole, s, x);
    for (let window = 0; window < rows * columns; window++) {
      const row = 2 * (window / columns),
        column = 2 * (window % columns);
      const input = s.start + pixelOffset(g, s, row, column);
      transformInput(g, s, input, t.inputs + slot * s.pixelBytes, inputStep(g));
      if (index) store<usize>(t.places + (slot << 4), map + window * pixel);
      else placeOutputs(g, t, slot, map, row, column);
      if (++slot < blockWindows) continue;
      multiplyBlock(g, t, slot, bias, relu, y, index);
      slot = 0;
    }
    map += (index ? rows * columns : g.outHeight * g.outWidth) * pixel;
  }
  multiplyBlock(g, t, slot, bias, relu, y, index);
  if (s.isCopy) free(s.start);
  free(changetype<usize>(s));
  free(changetype<usize>(whole));
  freeTransforms(t);
}

/** Where the four outputs of a window without pooling go; to `unused` outside the map. */
function placeOutputs(g: Convolution, t: Transforms, slot: i32, map: usize, row: i32, column: i32): void {
  const pixel = g.outChannels << 2;
  const isRight = column + 1 < g.outWidth,
    isBelow = row + 1 < g.outHeight;
  const out = map + (row * g.outWidth + column) * pixel,
    below = out + g.outWidth * pixel;
  const places = t.places + (slot << 4);
  store<usize>(places, out);
  store<usize>(places, isRight ? out + pixel : t.unused, 4);
  store<usize>(places, isBelow ? below : t.unused, 8);
  store<usize>(places, isRight && isBelow ? below + pixel : t.unused, 12);
}

function createTransforms(g: Convolution, filter: usize): Transforms {
  const t = changetype<Transforms>(allocate(offsetof<Transforms>()));
  t.inputs = allocate(positions * inputStep(g));
  t.products = allocate(positions * productStep);
  t.places = allocate(blockWindows << 4);
  t.unused = allocate(g.outChannels << 2);
  const size = panelBytes(g.inChannels, g.outChannels);
  t.filters = allocate(positions * size);
  const plane = (g.inChannels * g.outChannels) << 2;
  const planes = allocate(positions * plane);
  for (let i = 0; i < plane; i += 16) transformFilter(filter + i, plane, planes + i);
  for (let p = 0; p < positions; p++) {
    packPanels(planes + p * plane, g.outChannels << 2, g.inChannels, g.outChannels, t.filters + p * size);
  }
  free(planes);
  return t;
}

function freeTransforms(t: Transforms): void {
  free(t.inputs);
  free(t.filters);
  free(t.products);
  free(t.places);
  free(t.unused);
  free(changetype<usize>(t));
}

/** `G g G'` for 4 neighbouring weights, whose 9 elements lie `plane` bytes apart, as the 16 results do. */
function transformFilter(g: usize, plane: i32, out: usize): void {
  const half = f32x4.splat(0.5);
  for (let column = 0; column < 3; column++) {
    const at = g + column * plane;
    const g0 = v128.load(at);
    const g1 = v128.load(at + 3 * plane);
    const g2 = v128.load(at + 6 * plane);
    const ends = f32x4.mul(half, f32x4.add(g0, g2));
    const middle = f32x4.mul(half, g1);
    // Three columns of four rows, kept where the results of the first, second and last column will be.
    const to = out + (column == 2 ? 3 : column) * plane;
    v128.store(to, g0);
    v128.store(to + 4 * plane, f32x4.add(ends, middle));
    v128.store(to + 8 * plane, f32x4.sub(ends, middle));
    v128.store(to + 12 * plane, g2);
  }
  for (let row = 0; row < 4; row++, out += 4 * plane) {
    const middle = f32x4.mul(half, v128.load(out + plane));
    const ends = f32x4.mul(half, f32x4.add(v128.load(out), v128.load(out + 3 * plane)));
    v128.store(out + plane, f32x4.add(ends, middle));
    v128.store(out + 2 * plane, f32x4.sub(ends, middle));
  }
}

/** `B' d B` for the 4 x 4 pixels of a window, all channels; `step` bytes from one position's results to the next one's. */
export function transformInput(g: Convolution, s: Sample, p: usize, out: usize, step: i32): void {
  const pixel = s.pixelBytes;
  for (const end = p + pixel; p < end; p += 16, out += 16) {
    const p1 = p + s.rowBytes,
      p2 = p1 + s.rowBytes;
    transformRow(p, p2, pixel, out, step);
    // The only row that is a sum.
    const d0 = f32x4.add(v128.load(p1), v128.load(p2)),
      d1 = f32x4.add(v128.load(p1 + pixel), v128.load(p2 + pixel));
    const d2 = f32x4.add(v128.load(p1 + 2 * pixel), v128.load(p2 + 2 * pixel)),
      d3 = f32x4.add(v128.load(p1 + 3 * pixel), v128.load(p2 + 3 * pixel));
    storeRow(d0, d1, d2, d3, out + 4 * step, step);
    transformRow(p2, p1, pixel, out + 8 * step, step);
    transformRow(p1, p2 + s.rowBytes, pixel, out + 12 * step, step);
  }
}

/** One row of `B' d B`: the difference of two rows of pixels, then the same along the row. */
function transformRow(a: usize, b: usize, pixel: i32, out: usize, step: i32): void {
  const d0 = f32x4.sub(v128.load(a), v128.load(b)),
    d1 = f32x4.sub(v128.load(a + pixel), v128.load(b + pixel));
  const d2 = f32x4.sub(v128.load(a + 2 * pixel), v128.load(b + 2 * pixel)),
    d3 = f32x4.sub(v128.load(a + 3 * pixel), v128.load(b + 3 * pixel));
  storeRow(d0, d1, d2, d3, out, step);
}

function storeRow(d0: v128, d1: v128, d2: v128, d3: v128, out: usize, step: i32): void {
  v128.store(out, f32x4.sub(d0, d2));
  v128.store(out + step, f32x4.add(d1, d2));
  v128.store(out + 2 * step, f32x4.sub(d2, d1));
  v128.store(out + 3 * step, f32x4.sub(d1, d3));
}

/** The outputs of a block of windows, 8 channels at a time. */
function multiplyBlock(
  g: Convolution,
  t: Transforms,
  count: i32,
  bias: usize,
  relu: bool,
  y: usize,
  index: usize,
): void {
  const rowBytes = g.inChannels << 2;
  const size = panelBytes(g.inChannels, g.outChannels);
  for (let channel = 0; channel < g.outChannels; channel += 8) {
    const panel = t.filters + channel * rowBytes;
    for (let position = 0; position < positions; position++) {
      const inputs = t.inputs + position * inputStep(g),
        products = t.products + position * productStep;
      // The last rows may be left over from an earlier block: their products are not read.
      multiplyRows(inputs, rowBytes, count, panel + position * size, products, 32);
    }
    const width = min(8, g.outChannels - channel);
    for (let window = 0; window < count; window++) {
      const places = t.places + (window << 4),
        products = t.products + (window << 5);
      for (let half = 0; half < width; half += 4) {
        const at = (channel + half) << 2;
        const pooled = index ? index + ((load<usize>(places) + at - y) >> 2) : 0;
        transformOutput(products + (half << 2), bias + at, relu, places, at, pooled, width - half);
      }
    }
  }
}

/** `A' m A` for 4 channels of a window, which begin `at` bytes from each of its places, then pooling if there is an index. */
function transformOutput(
  m: usize,
  bias: usize,
  relu: bool,
  places: usize,
  at: i32,
  index: usize,
  width: i32,
): void {
  const a0 = upperSum(m),
    a1 = upperSum(m + productStep),
    a2 = upperSum(m + 2 * productStep),
    a3 = upperSum(m + 3 * productStep);
  const b0 = lowerSum(m),
    b1 = lowerSum(m + productStep),
    b2 = lowerSum(m + 2 * productStep),
    b3 = lowerSum(m + 3 * productStep);
  const upper0 = f32x4.add(f32x4.add(a0, a1), a2),
    upper1 = f32x4.sub(f32x4.sub(a1, a2), a3);
  const lower0 = f32x4.add(f32x4.add(b0, b1), b2),
    lower1 = f32x4.sub(f32x4.sub(b1, b2), b3);
  if (index) {
    poolHalf(upper0, upper1, lower0, lower1, bias, relu, load<usize>(places) + at, index, width);
    return;
  }
  storeHalf(upper0, bias, relu, load<usize>(places) + at, width);
  storeHalf(upper1, bias, relu, load<usize>(places, 4) + at, width);
  storeHalf(lower0, bias, relu, load<usize>(places, 8) + at, width);
  storeHalf(lower1, bias, relu, load<usize>(places, 12) + at, width);
}

/** The products of a column of four rows, as they come in the upper outputs. */
function upperSum(m: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(m), v128.load(m + 4 * productStep)), v128.load(m + 8 * productStep));
}

/** The same for the lower ones. */
function lowerSum(m: usize): v128 {
  return f32x4.sub(
    f32x4.sub(v128.load(m + 4 * productStep), v128.load(m + 8 * productStep)),
    v128.load(m + 12 * productStep),
  );
}
