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
  const channels = g.outChannels;
  for (let c = 0; c < channels; c++) {
    store<usize>(lists.channelEnds + (c << 2), lists.channels + ((c * listedWindows) << 3));
  }
  for (let window = 0; window < count; window++) {
    placePixels(g, s, lists, first + window, window);
    if (index) listPooled(lists, window, dy, index, channels);
    else listAll(lists, window, dy, channels);
    dy += channels << 2;
    if (index) index += channels;
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

function listPooled(lists: Lists, window: i32, dy: usize, index: usize, channels: i32): void {
  const offsets = lists.offsets + (window << 4),
    placeEnds = lists.placeEnds + (window << 4);
  for (let c = 0; c < channels; c++) {
    const gradient = load<f32>(dy + (c << 2));
    const i = <i32>load<u8>(index + c);
    // Written in any case and kept only if it counts: half of the gradients are zero, at random.
    const pixel = (i & 3) << 2;
    const size = i32(i < 4) & i32(gradient != 0);
    append(lists, c, load<i32>(offsets + pixel), gradient, size << 3);
    if (lists.places) appendPlace(placeEnds + pixel, c << 4, gradient, size << 3);
  }
}

function listAll(lists: Lists, window: i32, dy: usize, channels: i32): void {
  const offset = load<i32>(lists.offsets + (window << 2)),
    placeEnd = lists.placeEnds + (window << 2);
  for (let c = 0; c < channels; c++) {
    const gradient = load<f32>(dy + (c << 2));
    const size = i32(gradient != 0) << 3;
    append(lists, c, offset, gradient, size);
    if (lists.places) appendPlace(placeEnd, c << 4, gradient, size);
  }
}

function append(lists: Lists, channel: i32, offset: i32, gradient: f32, size: i32): void {
  appendPlace(lists.channelEnds + (channel << 2), offset, gradient, size);
  const sum = lists.sums + (channel << 3);
  store<f64>(sum, load<f64>(sum) + (size ? gradient : 0));
}

function appendPlace(end: usize, place: i32, gradient: f32, size: i32): void {
  const entry = load<usize>(end);
  store<i32>(entry, place);
  store<f32>(entry, gradient, 4);
  store<usize>(end, entry + size);
}
