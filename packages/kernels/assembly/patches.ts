// Pooled convolutions of few input channels, such as a network's first one. A filter's run in such a picture is too short for
// the tile and for the lists: instead the pixels that a pooling window needs are laid out side by side first.
import { allocate, allocateZeros, free } from './heap';
import { Convolution, filterSize, layOut, pixelOffset, readSample, Sample } from './convolution';
import { poolHalf } from './pool-window';
import { packPanels, panelBytes } from './tile';
import { addDoubles } from './vector-lanes';

/** Windows whose patches are laid out at a time. */
const blockWindows: i32 = 64;
/** Filter elements whose sums stay in registers. */
const maxElements: i32 = 9;

/** Whether the runs of a filter are short enough for this way to gain. */
export function suitsPatches(g: Convolution): bool {
  return g.inChannels < 4;
}

/** The same for the filter's gradient; without that by x, which this way does not give. */
export function gradientSuitsPatches(g: Convolution): bool {
  return filterSize(g) <= maxElements && (g.outChannels & 3) == 0;
}

/** `[window][filter element][4]`: what each of the four pixels of a pooling window sees through a filter element. */
@unmanaged
class Patches {
  sample: Sample;
  data: usize;
  /** Bytes of a window. */
  size: i32;
}

function createPatches(g: Convolution): Patches {
  const p = changetype<Patches>(allocate(offsetof<Patches>()));
  p.sample = changetype<Sample>(allocate(offsetof<Sample>()));
  layOut(g, p.sample, false);
  p.size = filterSize(g) << 4;
  // Sums may be taken past the last element; they are not stored.
  p.data = allocate(blockWindows * p.size + (maxElements << 4));
  return p;
}

function freePatches(p: Patches): void {
  if (p.sample.isCopy) free(p.sample.start);
  free(changetype<usize>(p.sample));
  free(p.data);
  free(changetype<usize>(p));
}

/** Lays out the patches of the windows `[first, first + count)`. A window over the edge sees its inner pixels twice. */
function fillPatches(g: Convolution, p: Patches, first: i32, count: i32): void {
  const s = p.sample;
  let patch = p.data;
  for (let window = first; window < first + count; window++) {
    const row = 2 * (window / g.poolWidth),
      column = 2 * (window % g.poolWidth);
    const right = column + 1 < g.outWidth ? pixelOffset(g, s, 0, 1) : 0,
      down = row + 1 < g.outHeight ? pixelOffset(g, s, 1, 0) : 0;
    let start = s.start + pixelOffset(g, s, row, column);
    for (let i = 0; i < s.rows; i++, start += s.runRowStep) {
      let run = start;
      for (let j = 0; j < s.columns; j++, run += s.runColumnStep) {
        patch = fillRun(run, s.runBytes, right, down, patch);
      }
    }
  }
}

/** Lays out a run for a window whose pixels lie `right` and `down` bytes apart; returns where the next one belongs. */
function fillRun(run: usize, bytes: i32, right: usize, down: usize, patch: usize): usize {
  for (const end = run + bytes; run < end; run += 4, patch += 16) {
    let pixels: v128;
    if (right == 4) {
      pixels = v128.load64_lane(run + down, v128.load64_zero(run), 1);
    } else {
      pixels = v128.load32_lane(run + right, v128.load32_zero(run), 1);
      pixels = v128.load32_lane(run + down, pixels, 2);
      pixels = v128.load32_lane(run + down + right, pixels, 3);
    }
    v128.store(patch, pixels);
  }
  return patch;
}

/** As `convolvePool`, `bias` being filled up to whole panels. */
export function convolvePoolPatches(
  g: Convolution,
  x: usize,
  filter: usize,
  bias: usize,
  relu: bool,
  y: usize,
  index: usize,
): void {
  const p = createPatches(g);
  const panels = allocate(panelBytes(filterSize(g), g.outChannels));
  packPanels(filter, g.outChannels << 2, filterSize(g), g.outChannels, panels);
  const windows = g.poolHeight * g.poolWidth;
  for (let sample = 0; sample < g.batch; sample++) {
    readSample(g, p.sample, x);
    x += (g.inHeight * g.inWidth * g.inChannels) << 2;
    for (let first = 0; first < windows; first += blockWindows) {
      const count = min(blockWindows, windows - first);
      fillPatches(g, p, first, count);
      for (let channel = 0; channel < g.outChannels; channel += 8) {
        const panel = panels + channel * (filterSize(g) << 2);
        let out = channel;
        for (let i = 0; i < count; i++, out += g.outChannels) {
          const width = g.outChannels - channel;
          poolPatch(
            p.data + i * p.size,
            p.size,
            panel,
            bias + (channel << 2),
            relu,
            y + (out << 2),
            index + out,
            width,
          );
        }
      }
      y += (count * g.outChannels) << 2;
      index += count * g.outChannels;
    }
  }
  free(panels);
  freePatches(p);
}

/** The outputs of one window for a panel of 8 channels, or the first `width` of them: the tile, then pooling. */
function poolPatch(
  patch: usize,
  size: i32,
  panel: usize,
  bias: usize,
  relu: bool,
  y: usize,
  index: usize,
  width: i32,
): void {
  let a0 = f32x4.splat(0),
    a1 = a0,
    b0 = a0,
    b1 = a0,
    c0 = a0,
    c1 = a0,
    d0 = a0,
    d1 = a0;
  for (const end = patch + size; patch < end; patch += 16) {
    const w0 = v128.load(panel),
      w1 = v128.load(panel, 16);
    let x = v128.load32_splat(patch);
    a0 = f32x4.add(a0, f32x4.mul(x, w0));
    a1 = f32x4.add(a1, f32x4.mul(x, w1));
    x = v128.load32_splat(patch, 4);
    b0 = f32x4.add(b0, f32x4.mul(x, w0));
    b1 = f32x4.add(b1, f32x4.mul(x, w1));
    x = v128.load32_splat(patch, 8);
    c0 = f32x4.add(c0, f32x4.mul(x, w0));
    c1 = f32x4.add(c1, f32x4.mul(x, w1));
    x = v128.load32_splat(patch, 12);
    d0 = f32x4.add(d0, f32x4.mul(x, w0));
    d1 = f32x4.add(d1, f32x4.mul(x, w1));
    panel += 32;
  }
  poolHalf(a0, b0, c0, d0, bias, relu, y, index, width);
  if (width > 4) poolHalf(a1, b1, c1, d1, bias + 16, relu, y + 16, index + 4, width - 4);
}

/** As `convolveGradients`, with an index and without a gradient by x. */
export function filterGradientsByPatches(
  g: Convolution,
  x: usize,
  dy: usize,
  index: usize,
  dFilter: usize,
  dBias: usize,
): void {
  const p = createPatches(g);
  const windows = g.poolHeight * g.poolWidth;
  const sums = allocateZeros(g.outChannels << 3);
  memory.fill(dFilter, 0, (filterSize(g) * g.outChannels) << 2);
  for (let sample = 0; sample < g.batch; sample++) {
    readSample(g, p.sample, x);
    x += (g.inHeight * g.inWidth * g.inChannels) << 2;
    for (let first = 0; first < windows; first += blockWindows) {
      const count = min(blockWindows, windows - first);
      fillPatches(g, p, first, count);
      for (let c = 0; c < g.outChannels; c += 4) {
        addProducts(p, dy + (c << 2), index + c, count, g.outChannels, dFilter + (c << 2), sums + (c << 3));
      }
      dy += (count * g.outChannels) << 2;
      index += count * g.outChannels;
    }
  }
  for (let c = 0; c < g.outChannels; c++) store<f32>(dBias + (c << 2), <f32>load<f64>(sums + (c << 3)));
  free(sums);
  freePatches(p);
}

/** For 4 channels: the bytes of each element of a patch's vector that belong to the channel's pixel; above 15 if relu cut it off. */
function bytesOfPixels(index: usize): v128 {
  const start = i16x8.shl(v128.load32_zero(index), 2);
  const spread = v128.shuffle<i8>(start, start, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  return i8x16.add(spread, i32x4.splat(0x03020100));
}

/**
 * For 4 channels: adds to the filter's gradient the products of the gradients with the pixels that they belong to, and to
 * `sums`, in double precision, the gradients.
 */
function addProducts(
  p: Patches,
  dy: usize,
  index: usize,
  count: i32,
  channels: i32,
  dFilter: usize,
  sums: usize,
): void {
  let s0 = f32x4.splat(0),
    s1 = s0,
    s2 = s0,
    s3 = s0,
    s4 = s0,
    s5 = s0,
    s6 = s0,
    s7 = s0,
    s8 = s0,
    sum = s0;
  const step = p.size;
  let patch = p.data;
  for (; count > 0; count--, patch += step, dy += channels << 2, index += channels) {
    const bytes = bytesOfPixels(index);
    const d = v128.and(v128.load(dy), i32x4.lt_s(bytes, i32x4.splat(0x10000000)));
    sum = f32x4.add(sum, d);
    s0 = f32x4.add(s0, f32x4.mul(d, i8x16.swizzle(v128.load(patch), bytes)));
    s1 = f32x4.add(s1, f32x4.mul(d, i8x16.swizzle(v128.load(patch, 16), bytes)));
    s2 = f32x4.add(s2, f32x4.mul(d, i8x16.swizzle(v128.load(patch, 32), bytes)));
    s3 = f32x4.add(s3, f32x4.mul(d, i8x16.swizzle(v128.load(patch, 48), bytes)));
    s4 = f32x4.add(s4, f32x4.mul(d, i8x16.swizzle(v128.load(patch, 64), bytes)));
    s5 = f32x4.add(s5, f32x4.mul(d, i8x16.swizzle(v128.load(patch, 80), bytes)));
    s6 = f32x4.add(s6, f32x4.mul(d, i8x16.swizzle(v128.load(patch, 96), bytes)));
    s7 = f32x4.add(s7, f32x4.mul(d, i8x16.swizzle(v128.load(patch, 112), bytes)));
    s8 = f32x4.add(s8, f32x4.mul(d, i8x16.swizzle(v128.load(patch, 128), bytes)));
  }
  addDoubles(sums, sum);
  const next = channels << 2,
    elements = p.size >> 4;
  add(dFilter, s0);
  if (elements > 1) add(dFilter + next, s1);
  if (elements > 2) add(dFilter + 2 * next, s2);
  if (elements > 3) add(dFilter + 3 * next, s3);
  if (elements > 4) add(dFilter + 4 * next, s4);
  if (elements > 5) add(dFilter + 5 * next, s5);
  if (elements > 6) add(dFilter + 6 * next, s6);
  if (elements > 7) add(dFilter + 7 * next, s7);
  if (elements > 8) add(dFilter + 8 * next, s8);
}

function add(sum: usize, value: v128): void {
  v128.store(sum, f32x4.add(v128.load(sum), value));
}
