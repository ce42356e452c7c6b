// Which gradients there are. After max-pooling at most one pixel of four has one, and relu takes half of those away.
import { allocate, allocateZeros, free } from './heap';
import { Convolution, pixelOffset, Sample } from './convolution';

/** Windows listed at a time; bounds the scratch and keeps the lists in the cache. */
export const listedWindows: i32 = 64;

/**
 * Lists of (place, gradient), 8 bytes an entry, for a range of windows: an output pixel, or the four pixels of a pooling
 * window.
 */
@unmanaged
export class Lists {
  /** 4 with pooling, else 1. */
  pixels: i32;
  /** Windows in a row of the map. */
  width: i32;
  /** For each channel, the places being byte offsets of pixels in the sample; 64 entries apart. */
  channels: usize;
  channelEnds: usize;
  /** For each pixel, the places being channel numbers times 16; `outChannels` entries apart. 0 if not wanted. */
  places: usize;
  placeEnds: usize;
  /** Byte offset of each pixel in the sample. */
  offsets: usize;
  /** Sums of the gradients of each channel, of all ranges so far, in double precision. */
  sums: usize;
}

export function createLists(g: Convolution, pooled: bool, byPixel: bool): Lists {
  const lists = changetype<Lists>(allocate(offsetof<Lists>()));
  const pixels = pooled ? 4 : 1;
  lists.pixels = pixels;
  lists.width = pooled ? g.poolWidth : g.outWidth;
  lists.channels = allocate((g.outChannels * listedWindows) << 3);
  lists.channelEnds = allocate(g.outChannels << 2);
  lists.places = byPixel ? allocate((g.outChannels * listedWindows * pixels) << 3) : 0;
  lists.placeEnds = allocate((listedWindows * pixels) << 2);
  lists.offsets = allocate((listedWindows * pixels) << 2);
  lists.sums = allocateZeros(g.outChannels << 3);
  return lists;
}

export function freeLists(lists: Lists): void {
  free(lists.channels);
  free(lists.channelEnds);
  if (lists.places) free(lists.places);
  free(lists.placeEnds);
  free(lists.offsets);
  free(lists.sums);
  free(changetype<usize>(lists));
}

/**
 * Lists the gradients of the windows `[first, first + count)` of a sample.
 *
 * @param dy, index - of the first of these windows; index is 0 without pooling.
 */
export function fillLists(
  g: Convolution,
  s: Sample,
  lists: Lists,
  first: i32,
  count: i32,
  dy: usize,
  index: usize,
): void {
  for (let window = 0; window < count; window++) placePixels(g, s, lists, first + window, window);
  for (let c = 0; c < g.outChannels; c++) {
    listChannel(lists, c, count, dy + (c << 2), index ? index + c : 0, g.outChannels);
  }
  if (!lists.places) return;
  for (let window = 0; window < count; window++) {
    listPlaces(lists, window, dy, index, g.outChannels);
    dy += g.outChannels << 2;
    if (index) index += g.outChannels;
  }
}

/** Computes where the pixels of a window lie and empties their lists. */
function placePixels(g: Convolution, s: Sample, lists: Lists, window: i32, slot: i32): void {
  const row = window / lists.width,
    column = window % lists.width;
  for (let i = 0; i < lists.pixels; i++) {
    const pixel = slot * lists.pixels + i;
    const y = lists.pixels == 1 ? row : 2 * row + (i >> 1);
    const x = lists.pixels == 1 ? column : 2 * column + (i & 1);
    store<i32>(lists.offsets + (pixel << 2), pixelOffset(g, s, y, x));
    store<usize>(lists.placeEnds + (pixel << 2), lists.places + ((pixel * g.outChannels) << 3));
  }
}

/** The list and the sum of one channel. */
function listChannel(lists: Lists, channel: i32, count: i32, dy: usize, index: usize, channels: i32): void {
  let entry = lists.channels + ((channel * listedWindows) << 3);
  let offsets = lists.offsets;
  let sum: f32 = 0;
  for (let window = 0; window < count; window++) {
    const gradient = load<f32>(dy);
    const pixel: i32 = index ? load<u8>(index) : 0;
    // Written in any case and kept only if it counts: half of the gradients are zero, at random.
    const counts = i32(pixel < 4) & i32(gradient != 0);
    store<i32>(entry, load<i32>(offsets + ((pixel & 3) << 2)));
    store<f32>(entry, gradient, 4);
    entry += counts << 3;
    // Not `counts ? gradient : 0`, which becomes a jump that is predicted wrongly half of the time.
    sum += reinterpret<f32>(reinterpret<i32>(gradient) & -counts);
    offsets += lists.pixels << 2;
    dy += channels << 2;
    if (index) index += channels;
  }
  store<usize>(lists.channelEnds + (channel << 2), entry);
  const total = lists.sums + (channel << 3);
  store<f64>(total, load<f64>(total) + sum);
}

/** The lists of the pixels of one window. */
function listPlaces(lists: Lists, window: i32, dy: usize, index: usize, channels: i32): void {
  const ends = lists.placeEnds + ((window * lists.pixels) << 2);
  for (let c = 0; c < channels; c++) {
    const gradient = load<f32>(dy + (c << 2));
    const pixel: i32 = index ? load<u8>(index + c) : 0;
    const end = ends + ((pixel & 3) << 2);
    const entry = load<usize>(end);
    store<i32>(entry, c << 4);
    store<f32>(entry, gradient, 4);
    store<usize>(end, entry + ((i32(pixel < 4) & i32(gradient != 0)) << 3));
  }
}
