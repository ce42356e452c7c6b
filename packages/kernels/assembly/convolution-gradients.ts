// Backward passes of a convolution, with or without the 2 x 2 max-pooling and relu behind it.
import { allocate, free } from './heap';
import { Convolution, layOut, readSample, Sample, writeSample, copyBytes } from './convolution';
import { denseFilterGradient, filterGradientSuitsTile } from './dense-gradients';
import {
  copyFilter,
  countParts,
  createParts,
  freeParts,
  halfPart,
  partAt,
  Parts,
  wholePart,
} from './filter-parts';
import { filterGradientsByPatches, gradientSuitsPatches } from './patches';
import { createLists, fillLists, freeLists, listedWindows, Lists } from './gradient-lists';

/**
 * Gradients by filter and bias, and by x if `dx` is not 0. Only pixels that carry a gradient are visited.
 *
 * @param index - what `convolvePool` stored; 0 if there is no pooling, then `dy` belongs to the convolution's own output.
 * @param filter - needed for `dx` only, as x is for `dFilter`.
 */
export function convolveGradients(
  geometry: usize,
  x: usize,
  filter: usize,
  dy: usize,
  index: usize,
  dFilter: usize,
  dBias: usize,
  dx: usize,
): void {
  const g = changetype<Convolution>(geometry);
  if (index && !dx && gradientSuitsPatches(g)) {
    filterGradientsByPatches(g, x, dy, index, dFilter, dBias);
    return;
  }
  if (!index && !dx && !dBias && filterGradientSuitsTile(g)) {
    denseFilterGradient(g, x, dy, dFilter);
    return;
  }
  const lists = createLists(g, index != 0, dx != 0);
  const input = dFilter ? createSide(g, 0) : null;
  const output = dx ? createSide(g, filter) : null;
  const layout = input ? input.sample : output ? output.sample : null;
  const windows = index ? g.poolHeight * g.poolWidth : g.outHeight * g.outWidth;
  const inputs = (g.inHeight * g.inWidth * g.inChannels) << 2;
  for (let sample = 0; sample < g.batch; sample++) {
    if (input) readSample(g, input.sample, x);
    if (output) clearSample(g, output.sample, dx, inputs);
    for (let first = 0; first < windows; first += listedWindows) {
      const count = min(listedWindows, windows - first);
      if (layout) fillLists(g, layout, lists, first, count, dy, index);
      if (input) addFilterGradients(g, input, lists);
      if (output) addInputGradients(g, output, lists, count);
      dy += (count * g.outChannels) << 2;
      if (index) index += count * g.outChannels;
    }
    if (output) writeSample(g, output.sample, dx);
    x += inputs;
    dx += inputs;
  }
  if (input) {
    copyFilter(g, input.parts, dFilter, true);
    freeSide(input);
  }
  if (output) freeSide(output);
  if (dBias) storeSums(g, lists, dBias);
  freeLists(lists);
}

function storeSums(g: Convolution, lists: Lists, dBias: usize): void {
  for (let c = 0; c < g.outChannels; c++) store<f32>(dBias + (c << 2), <f32>load<f64>(lists.sums + (c << 3)));
}

/** One of the two gradients: a sample (x, or the gradient by it) and a filter (the gradient by it, or its weights). */
@unmanaged
class Side {
  sample: Sample;
  parts: Parts;
}

/** @param filter - the weights; 0 for zeros. */
function createSide(g: Convolution, filter: usize): Side {
  const side = changetype<Side>(allocate(offsetof<Side>()));
  side.sample = changetype<Sample>(allocate(offsetof<Sample>()));
  // A copy, even without padding: it comes into the cache in one go, while the lists would visit the tensor at random. And
  // runs that do not end with a whole vector are read and written past their end, which does no harm there.
  layOut(g, side.sample, true);
  side.parts = createParts(g, side.sample);
  if (filter) copyFilter(g, side.parts, filter, false);
  return side;
}

function freeSide(side: Side): void {
  if (side.sample.isCopy) free(side.sample.start);
  free(changetype<usize>(side.sample));
  freeParts(side.parts);
  free(changetype<usize>(side));
}

function clearSample(g: Convolution, s: Sample, dx: usize, bytes: i32): void {
  memory.fill(dx, 0, bytes);
  if (s.isCopy) memory.fill(s.start, 0, copyBytes(g));
  else s.start = dx;
}

/** For each filter element: the products of the gradients with the pixels that it met. */
function addFilterGradients(g: Convolution, side: Side, lists: Lists): void {
  const parts = side.parts,
    x = side.sample.start;
  const large = parts.whole + parts.half;
  for (let i = 0; i < large; i++) {
    const part = partAt(parts, i);
    let entries = lists.channels,
      sums = part.data;
    for (let c = 0; c < g.outChannels; c++) {
      const end = load<usize>(lists.channelEnds + (c << 2));
      if (i < parts.whole) addFilterPart(entries, end, x + part.offset, sums);
      else addHalfFilterPart(entries, end, x + part.offset, sums);
      entries += listedWindows << 3;
      sums += part.count << 2;
    }
  }
  for (let i = large; i < large + parts.small; i += 4) {
    let entries = lists.channels;
    for (let c = 0; c < g.outChannels; c++) {
      addFilterParts(entries, load<usize>(lists.channelEnds + (c << 2)), x, parts, i, c << 4);
      entries += listedWindows << 3;
    }
  }
}

function addFilterPart(entry: usize, end: usize, x: usize, sums: usize): void {
  let s0 = f32x4.splat(0),
    s1 = s0,
    s2 = s0,
    s3 = s0,
    s4 = s0,
    s5 = s0;
  for (; entry < end; entry += 8) {
    const p = x + load<i32>(entry);
    const d = v128.load32_splat(entry, 4);
    s0 = f32x4.add(s0, f32x4.mul(d, v128.load(p)));
    s1 = f32x4.add(s1, f32x4.mul(d, v128.load(p, 16)));
    s2 = f32x4.add(s2, f32x4.mul(d, v128.load(p, 32)));
    s3 = f32x4.add(s3, f32x4.mul(d, v128.load(p, 48)));
    s4 = f32x4.add(s4, f32x4.mul(d, v128.load(p, 64)));
    s5 = f32x4.add(s5, f32x4.mul(d, v128.load(p, 80)));
  }
  v128.store(sums, f32x4.add(v128.load(sums), s0));
  v128.store(sums, f32x4.add(v128.load(sums, 16), s1), 16);
  v128.store(sums, f32x4.add(v128.load(sums, 32), s2), 32);
  v128.store(sums, f32x4.add(v128.load(sums, 48), s3), 48);
  v128.store(sums, f32x4.add(v128.load(sums, 64), s4), 64);
  v128.store(sums, f32x4.add(v128.load(sums, 80), s5), 80);
}

function addHalfFilterPart(entry: usize, end: usize, x: usize, sums: usize): void {
  let s0 = f32x4.splat(0),
    s1 = s0,
    s2 = s0;
  for (; entry < end; entry += 8) {
    const p = x + load<i32>(entry);
    const d = v128.load32_splat(entry, 4);
    s0 = f32x4.add(s0, f32x4.mul(d, v128.load(p)));
    s1 = f32x4.add(s1, f32x4.mul(d, v128.load(p, 16)));
    s2 = f32x4.add(s2, f32x4.mul(d, v128.load(p, 32)));
  }
  v128.store(sums, f32x4.add(v128.load(sums), s0));
  v128.store(sums, f32x4.add(v128.load(sums, 16), s1), 16);
  v128.store(sums, f32x4.add(v128.load(sums, 32), s2), 32);
}

/** Four small parts of one channel. */
function addFilterParts(entry: usize, end: usize, x: usize, parts: Parts, i: i32, channel: usize): void {
  const q0 = partAt(parts, i),
    q1 = partAt(parts, i + 1),
    q2 = partAt(parts, i + 2),
    q3 = partAt(parts, i + 3);
  const x0 = x + q0.offset,
    x1 = x + q1.offset,
    x2 = x + q2.offset,
    x3 = x + q3.offset;
  let s0 = v128.load(q0.data + channel),
    s1 = v128.load(q1.data + channel);
  let s2 = v128.load(q2.data + channel),
    s3 = v128.load(q3.data + channel);
  let t0 = f32x4.splat(0),
    t1 = t0,
    t2 = t0,
    t3 = t0;
  for (; entry < end; entry += 8) {
    const p: usize = load<i32>(entry);
    const d = v128.load32_splat(entry, 4);
    t0 = f32x4.add(t0, f32x4.mul(d, v128.load(x0 + p)));
    t1 = f32x4.add(t1, f32x4.mul(d, v128.load(x1 + p)));
    t2 = f32x4.add(t2, f32x4.mul(d, v128.load(x2 + p)));
    t3 = f32x4.add(t3, f32x4.mul(d, v128.load(x3 + p)));
  }
  v128.store(q0.data + channel, f32x4.add(s0, t0));
  v128.store(q1.data + channel, f32x4.add(s1, t1));
  v128.store(q2.data + channel, f32x4.add(s2, t2));
  v128.store(q3.data + channel, f32x4.add(s3, t3));
}

/** For each pixel: the products of its gradients with the weights, added to the inputs that the filter met there. */
function addInputGradients(g: Convolution, side: Side, lists: Lists, windows: i32): void {
  const parts = side.parts,
    dx = side.sample.start;
  const pixels = windows * lists.pixels;
  const step = g.outChannels << 3;
  for (let i = 0; i < countParts(parts); i++) {
    const part = partAt(parts, i);
    const target = dx + part.offset;
    let entries = lists.places;
    for (let pixel = 0; pixel < pixels && part.count > 0; pixel++, entries += step) {
      const end = load<usize>(lists.placeEnds + (pixel << 2));
      if (end == entries) continue;
      const place = target + load<i32>(lists.offsets + (pixel << 2));
      if (i < parts.whole) addInputPart(entries, end, part.data, place);
      else if (i < parts.whole + parts.half) addHalfInputPart(entries, end, part.data, place);
      else addSmallInputPart(entries, end, part.data, place);
    }
  }
}

function addInputPart(entry: usize, end: usize, weights: usize, dx: usize): void {
  let s0 = v128.load(dx),
    s1 = v128.load(dx, 16),
    s2 = v128.load(dx, 32),
    s3 = v128.load(dx, 48);
  let s4 = v128.load(dx, 64),
    s5 = v128.load(dx, 80);
  for (; entry < end; entry += 8) {
    const w = weights + load<i32>(entry) * (wholePart >> 2);
    const d = v128.load32_splat(entry, 4);
    s0 = f32x4.add(s0, f32x4.mul(d, v128.load(w)));
    s1 = f32x4.add(s1, f32x4.mul(d, v128.load(w, 16)));
    s2 = f32x4.add(s2, f32x4.mul(d, v128.load(w, 32)));
    s3 = f32x4.add(s3, f32x4.mul(d, v128.load(w, 48)));
    s4 = f32x4.add(s4, f32x4.mul(d, v128.load(w, 64)));
    s5 = f32x4.add(s5, f32x4.mul(d, v128.load(w, 80)));
  }
  v128.store(dx, s0);
  v128.store(dx, s1, 16);
  v128.store(dx, s2, 32);
  v128.store(dx, s3, 48);
  v128.store(dx, s4, 64);
  v128.store(dx, s5, 80);
}

function addHalfInputPart(entry: usize, end: usize, weights: usize, dx: usize): void {
  let s0 = v128.load(dx),
    s1 = v128.load(dx, 16),
    s2 = v128.load(dx, 32);
  for (; entry < end; entry += 8) {
    const w = weights + load<i32>(entry) * (halfPart >> 2);
    const d = v128.load32_splat(entry, 4);
    s0 = f32x4.add(s0, f32x4.mul(d, v128.load(w)));
    s1 = f32x4.add(s1, f32x4.mul(d, v128.load(w, 16)));
    s2 = f32x4.add(s2, f32x4.mul(d, v128.load(w, 32)));
  }
  v128.store(dx, s0);
  v128.store(dx, s1, 16);
  v128.store(dx, s2, 32);
}

/** The weights behind the last element of a small part are zeros, which change nothing in what lies behind it. */
function addSmallInputPart(entry: usize, end: usize, weights: usize, dx: usize): void {
  let sum = v128.load(dx);
  for (; entry < end; entry += 8) {
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(entry, 4), v128.load(weights + load<i32>(entry))));
  }
  v128.store(dx, sum);
}
