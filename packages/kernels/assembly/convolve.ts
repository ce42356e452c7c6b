// Forward passes: convolution, bias and relu in one go, with or without 2 x 2 max-pooling.
import { allocate, allocateZeros, free } from './heap';
import { Convolution, filterSize, layOut, pixelOffset, readSample, Sample } from './convolution';
import { convolvePoolPatches, suitsPatches } from './patches';
import { convolvePointwise, suitsPointwise } from './pointwise';
import { poolHalf } from './pool-window';
import { multiplyTile, packPanels, panelBytes } from './tile';
import { convolveWinograd, suitsWinograd } from './winograd';

/** Everything that a tile needs besides its place. */
@unmanaged
class Work {
  sample: Sample;
  panels: usize;
  tile: usize;
  bias: usize;
}

function begin(g: Convolution, filter: usize, bias: usize): Work {
  const work = changetype<Work>(allocate(offsetof<Work>()));
  work.sample = changetype<Sample>(allocate(offsetof<Sample>()));
  layOut(g, work.sample, false);
  work.tile = allocate(128);
  work.panels = allocate(panelBytes(filterSize(g), g.outChannels));
  packPanels(filter, g.outChannels << 2, filterSize(g), g.outChannels, work.panels);
  work.bias = bias;
  return work;
}

/** The bias with zeros behind it, so that the last panel may read 8 of it; the caller frees it. */
function fillUp(g: Convolution, bias: usize): usize {
  const filled = allocateZeros(panelBytes(1, g.outChannels));
  if (bias) memory.copy(filled, bias, g.outChannels << 2);
  return filled;
}

function end(work: Work): void {
  if (work.sample.isCopy) free(work.sample.start);
  free(changetype<usize>(work.sample));
  free(work.tile);
  free(work.panels);
  free(changetype<usize>(work));
}

/**
 * Convolution, 2 x 2 max-pooling with stride 2, bias, and relu if asked for: `[batch, poolHeight, poolWidth, channels]`.
 * `index` gets a byte for each output: which pixel of the window (0 to 3, in row order) holds the first maximum, or 4
 * where relu cut the output off. A window that reaches over the edge has its inner pixels only.
 */
export function convolvePool(
  geometry: usize,
  x: usize,
  filter: usize,
  bias: usize,
  relu: bool,
  y: usize,
  index: usize,
): void {
  const g = changetype<Convolution>(geometry);
  const filled = fillUp(g, bias);
  if (suitsWinograd(g, true)) convolveWinograd(g, x, filter, filled, relu, y, index);
  else if (suitsPatches(g)) convolvePoolPatches(g, x, filter, filled, relu, y, index);
  else poolSamples(g, x, filter, filled, relu, y, index);
  free(filled);
}

function poolSamples(
  g: Convolution,
  x: usize,
  filter: usize,
  bias: usize,
  relu: bool,
  y: usize,
  index: usize,
): void {
  const work = begin(g, filter, bias);
  const outputs = g.poolHeight * g.poolWidth * g.outChannels;
  for (let sample = 0; sample < g.batch; sample++) {
    readSample(g, work.sample, x);
    poolSample(g, work, relu, y, index);
    x += (g.inHeight * g.inWidth * g.inChannels) << 2;
    y += outputs << 2;
    index += outputs;
  }
  end(work);
}

function poolSample(g: Convolution, work: Work, relu: bool, y: usize, index: usize): void {
  const s = work.sample,
    tile = work.tile;
  const panelSize = filterSize(g) << 5;
  let panel = work.panels;
  for (let channel = 0; channel < g.outChannels; channel += 8, panel += panelSize) {
    const width = min(8, g.outChannels - channel);
    let output = channel;
    for (let row = 0; row < g.poolHeight; row++) {
      const top = s.start + pixelOffset(g, s, 2 * row, 0);
      const down = 2 * row + 1 < g.outHeight ? pixelOffset(g, s, 1, 0) : 0;
      for (let column = 0; column < g.poolWidth; column++) {
        const p = top + pixelOffset(g, s, 0, 2 * column);
        const right = 2 * column + 1 < g.outWidth ? pixelOffset(g, s, 0, 1) : 0;
        multiplyTile(s, panel, p, p + right, p + down, p + down + right, tile);
        poolTile(tile, work.bias + (channel << 2), relu, y + (output << 2), index + output, width);
        if (width > 4) {
          const at = output + 4;
          poolTile(tile + 16, work.bias + ((channel + 4) << 2), relu, y + (at << 2), index + at, width - 4);
        }
        output += g.outChannels;
      }
    }
  }
}

function poolTile(tile: usize, bias: usize, relu: bool, y: usize, index: usize, width: i32): void {
  const a = v128.load(tile),
    b = v128.load(tile, 32),
    c = v128.load(tile, 64),
    d = v128.load(tile, 96);
  poolHalf(a, b, c, d, bias, relu, y, index, width);
}

/** Convolution, bias (0: none), and relu if asked for: `[batch, outHeight, outWidth, channels]`. */
export function convolve(geometry: usize, x: usize, filter: usize, bias: usize, relu: bool, y: usize): void {
  const g = changetype<Convolution>(geometry);
  if (!bias && !relu && suitsPointwise(g)) {
    convolvePointwise(g, x, filter, y);
    return;
  }
  const filled = fillUp(g, bias);
  if (suitsWinograd(g, false)) convolveWinograd(g, x, filter, filled, relu, y, 0);
  else convolveSamples(g, x, filter, filled, relu, y);
  free(filled);
}

function convolveSamples(g: Convolution, x: usize, filter: usize, bias: usize, relu: bool, y: usize): void {
  const work = begin(g, filter, bias);
  const offsets = offsetsOfPixels(g, work.sample);
  for (let sample = 0; sample < g.batch; sample++) {
    readSample(g, work.sample, x);
    convolveSample(g, work, offsets, relu, y);
    x += (g.inHeight * g.inWidth * g.inChannels) << 2;
    y += (g.outHeight * g.outWidth * g.outChannels) << 2;
  }
  free(offsets);
  end(work);
}

function convolveSample(g: Convolution, work: Work, offsets: usize, relu: bool, y: usize): void {
  const s = work.sample,
    tile = work.tile;
  const panelSize = filterSize(g) << 5;
  const pixels = g.outHeight * g.outWidth;
  let panel = work.panels;
  for (let channel = 0; channel < g.outChannels; channel += 8, panel += panelSize) {
    const width = min(8, g.outChannels - channel);
    let out = y + (channel << 2),
      offset = offsets;
    for (let pixel = 0; pixel < pixels; pixel += 4, offset += 16, out += g.outChannels << 4) {
      const p0 = s.start + load<i32>(offset),
        p1 = s.start + load<i32>(offset, 4);
      multiplyTile(s, panel, p0, p1, s.start + load<i32>(offset, 8), s.start + load<i32>(offset, 12), tile);
      storeTile(
        tile,
        work.bias + (channel << 2),
        relu,
        out,
        g.outChannels << 2,
        min(4, pixels - pixel),
        width,
      );
    }
  }
}

/** Where the filter starts for each output pixel of a sample. The last one is repeated for the tile; the caller frees the table. */
function offsetsOfPixels(g: Convolution, s: Sample): usize {
  const count = g.outHeight * g.outWidth;
  const offsets = allocate((count + 3) << 2);
  for (let i = 0; i < count + 3; i++) {
    const pixel = min(i, count - 1);
    store<i32>(offsets + (i << 2), pixelOffset(g, s, pixel / g.outWidth, pixel % g.outWidth));
  }
  return offsets;
}

/** Stores `rows x width` of a tile. */
function storeTile(
  tile: usize,
  bias: usize,
  relu: bool,
  out: usize,
  stride: i32,
  rows: i32,
  width: i32,
): void {
  const low = relu ? f32x4.splat(0) : f32x4.splat(-Infinity);
  const b0 = v128.load(bias),
    b1 = v128.load(bias, 16);
  for (let row = 0; row < rows; row++, tile += 32, out += stride) {
    const y0 = f32x4.max(f32x4.add(v128.load(tile), b0), low);
    const y1 = f32x4.max(f32x4.add(v128.load(tile, 16), b1), low);
    if (width == 8) {
      v128.store(out, y0);
      v128.store(out, y1, 16);
      continue;
    }
    v128.store(tile, y0);
    v128.store(tile, y1, 16);
    memory.copy(out, tile, width << 2);
  }
}
