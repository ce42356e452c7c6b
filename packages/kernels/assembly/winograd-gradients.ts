// The gradient by a 3 x 3 filter, from the sums over all windows of 2 x 2 outputs of 16 products a pair of channels instead of 36.
// Lavin and Gray (2016), section 4.2: F(3 x 3, 2 x 2), the transpose of the forward pass by its filter: where that is
// `A' [(G g G') .* (B' d B)] A`, this is `G' [(B' d B) .* (A dy A')] G`, and what is linear is done once, after the sum.
import { allocate, allocateZeros, free } from './heap';
import { Convolution, layOut, pixelOffset, readSample, Sample } from './convolution';
import { addOuterProducts } from './strided-tile';
import { isThreeByThree, ofWindows, transformInput } from './winograd';

/** Windows transformed at a time. */
const blockWindows: i32 = 32;
const positions: i32 = 16;

/** Whether the shapes allow it; it gains with every number of channels. */
export function filterGradientSuitsWinograd(g: Convolution): bool {
  return isThreeByThree(g) && ((g.inChannels | g.outChannels) & 3) == 0;
}

/** What all blocks share. */
@unmanaged
class Sums {
  /** `[window][channel]` of x for each position, `inputStep` bytes apart. */
  inputs: usize;
  inputStep: i32;
  /** The same of dy. */
  gradients: usize;
  gradientStep: i32;
  /** `[inputs / 4][outputs / 8][4 x 8]` for each position, `sumStep` bytes apart: the products of all windows so far. */
  sums: usize;
  sumStep: i32;
  /** A pixel of dy outside the map. */
  zeros: usize;
}

function createSums(g: Convolution): Sums {
  const t = changetype<Sums>(allocate(offsetof<Sums>()));
  // No power of two, which would fall on the same lines of the cache.
  t.inputStep = blockWindows * (g.inChannels << 2) + 64;
  t.gradientStep = blockWindows * (g.outChannels << 2) + 64;
  t.sumStep = g.inChannels * ((g.outChannels + 7) >> 3) * 32 + 64;
  t.inputs = allocate(positions * t.inputStep);
  t.gradients = allocate(positions * t.gradientStep);
  t.sums = allocateZeros(positions * t.sumStep);
  t.zeros = allocateZeros(g.outChannels << 2);
  return t;
}

function freeSums(t: Sums): void {
  free(t.inputs);
  free(t.gradients);
  free(t.sums);
  free(t.zeros);
  free(changetype<usize>(t));
}

/** As `denseFilterGradient`. */
export function winogradFilterGradient(g: Convolution, x: usize, dy: usize, dFilter: usize): void {
  const t = createSums(g);
  const rows = (g.outHeight + 1) >> 1,
    columns = (g.outWidth + 1) >> 1;
  const whole = ofWindows(g, rows, columns);
  const s = changetype<Sample>(allocate(offsetof<Sample>()));
  layOut(whole, s, false);
  const sampleBytes = (g.inHeight * g.inWidth * g.inChannels) << 2;
  const mapBytes = (g.outHeight * g.outWidth * g.outChannels) << 2;
  let slot = 0;
  for (let sample = 0; sample < g.batch; sample++, x += sampleBytes, dy += mapBytes) {
    readSample(whole, s, x);
    for (let window = 0; window < rows * columns; window++) {
      const row = 2 * (window / columns),
        column = 2 * (window % columns);
      const place = t.inputs + slot * s.pixelBytes;
      transformInput(g, s, s.start + pixelOffset(g, s, row, column), place, t.inputStep);
      transformGradient(g, t, dy, row, column, slot);
      if (++slot < blockWindows) continue;
      addProducts(g, t, slot);
      slot = 0;
    }
  }
  addProducts(g, t, slot);
  storeGradient(g, t, dFilter);
  if (s.isCopy) free(s.start);
  free(changetype<usize>(s));
  free(changetype<usize>(whole));
  freeSums(t);
}

/** `A dy A'` for the window at a pixel of the map; the last row and column, which `A` turns round, with their sign kept. */
function transformGradient(g: Convolution, t: Sums, dy: usize, row: i32, column: i32, slot: i32): void {
  const pixel = g.outChannels << 2,
    step = t.gradientStep;
  const isRight = column + 1 < g.outWidth,
    isBelow = row + 1 < g.outHeight;
  const p0 = dy + (row * g.outWidth + column) * pixel;
  const p2 = isBelow ? p0 + g.outWidth * pixel : t.zeros;
  const p1 = isRight ? p0 + pixel : t.zeros,
    p3 = isRight && isBelow ? p2 + pixel : t.zeros;
  let out = t.gradients + slot * pixel;
  for (let i = 0; i < pixel; i += 16, out += 16) {
    const d0 = v128.load(p0 + i),
      d1 = v128.load(p1 + i);
    const d2 = v128.load(p2 + i),
      d3 = v128.load(p3 + i);
    storeRow(d0, d1, out, step);
    storeRow(f32x4.add(d0, d2), f32x4.add(d1, d3), out + 4 * step, step);
    storeRow(f32x4.sub(d0, d2), f32x4.sub(d1, d3), out + 8 * step, step);
    storeRow(d2, d3, out + 12 * step, step);
  }
}

function storeRow(left: v128, right: v128, out: usize, step: i32): void {
  v128.store(out, left);
  v128.store(out + step, f32x4.add(left, right));
  v128.store(out + 2 * step, f32x4.sub(left, right));
  v128.store(out + 3 * step, right);
}

/** Adds the products of the first `count` windows. */
function addProducts(g: Convolution, t: Sums, count: i32): void {
  for (let position = 0; position < positions; position++) {
    addOuterProducts(
      count,
      t.inputs + position * t.inputStep,
      g.inChannels << 2,
      t.gradients + position * t.gradientStep,
      g.outChannels << 2,
      t.sums + position * t.sumStep,
    );
  }
}

/** `G' m G` for all pairs of channels. */
function storeGradient(g: Convolution, t: Sums, dFilter: usize): void {
  const tiles = (g.outChannels + 7) >> 3;
  const plane = (g.inChannels * g.outChannels) << 2;
  for (let i = 0; i < g.inChannels; i++) {
    for (let o = 0; o < g.outChannels; o += 4, dFilter += 16) {
      const tile = (i >> 2) * tiles + (o >> 3);
      const m = t.sums + (tile << 7) + ((i & 3) << 5) + ((o & 4) << 2);
      // Three rows of four columns, in the place of the first, second and last row.
      for (let column = 0; column < 4; column++)
        combine(m + column * t.sumStep, 4 * t.sumStep, m + column * t.sumStep, 4 * t.sumStep);
      for (let row = 0; row < 3; row++)
        combine(m + row * 4 * t.sumStep, t.sumStep, dFilter + row * 3 * plane, plane);
    }
  }
}

/** `G'` times four vectors, the last of which has its sign turned round, `step` bytes apart. */
function combine(m: usize, step: i32, out: usize, outStep: i32): void {
  const half = f32x4.splat(0.5);
  const m1 = v128.load(m + step),
    m2 = v128.load(m + 2 * step);
  const ends = f32x4.mul(half, f32x4.add(m1, m2));
  const last = v128.load(m + 3 * step);
  v128.store(out, f32x4.add(v128.load(m), ends));
  v128.store(out + outStep, f32x4.mul(half, f32x4.sub(m1, m2)));
  v128.store(out + 2 * outStep, f32x4.sub(ends, last));
}
