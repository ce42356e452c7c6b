// Gradients of max- and average-pooling of any size. The geometry's filter is the window.
import { allocate, free } from './heap';
import { Convolution } from './convolution';

/** The pixels of one window that lie inside the picture: from the first row or column to before the last. */
@unmanaged
class Window {
  top: i32;
  bottom: i32;
  left: i32;
  right: i32;
}

/** False if the window lies in the padding altogether. */
function placeWindow(g: Convolution, row: i32, column: i32, window: Window): bool {
  const top = row * g.strideHeight - g.padTop,
    left = column * g.strideWidth - g.padLeft;
  window.top = firstInside(top, g.dilationHeight);
  window.left = firstInside(left, g.dilationWidth);
  window.bottom = min(top + g.filterHeight * g.dilationHeight, g.inHeight);
  window.right = min(left + g.filterWidth * g.dilationWidth, g.inWidth);
  return window.top < window.bottom && window.left < window.right;
}

/** The first coordinate inside the picture of a window that starts at `start`. */
function firstInside(start: i32, step: i32): i32 {
  return start >= 0 ? start : start + ((step - 1 - start) / step) * step;
}

/**
 * The gradient of each window goes to its first maximum in row order, as in TensorFlow; to its first pixel if its
 * maximum is NaN. Windows are visited in row order, which fixes the order of additions where they overlap.
 */
export function maxPoolGradient(geometry: usize, x: usize, y: usize, dy: usize, dx: usize): void {
  const g = changetype<Convolution>(geometry);
  const sampleBytes = (g.inHeight * g.inWidth * g.inChannels) << 2;
  const window = changetype<Window>(allocate(offsetof<Window>()));
  memory.fill(dx, 0, g.batch * sampleBytes);
  for (let sample = 0; sample < g.batch; sample++, x += sampleBytes, dx += sampleBytes) {
    for (let row = 0; row < g.outHeight; row++) {
      for (let column = 0; column < g.outWidth; column++) {
        if (placeWindow(g, row, column, window)) routeWindow(g, window, x, y, dy, dx);
        y += g.inChannels << 2;
        dy += g.inChannels << 2;
      }
    }
  }
  free(changetype<usize>(window));
}

/** One window, all channels: four at a time, then the rest. */
function routeWindow(g: Convolution, w: Window, x: usize, y: usize, dy: usize, dx: usize): void {
  const channelBytes = g.inChannels << 2,
    vectorBytes = (g.inChannels & ~3) << 2;
  const start = (w.top * g.inWidth + w.left) * channelBytes;
  const step = channelBytes * g.dilationWidth;
  for (let c = 0; c < vectorBytes; c += 16) {
    const largest = v128.load(y + c),
      gradient = v128.load(dy + c);
    let open = i32x4.splat(-1);
    for (let row = w.top; row < w.bottom; row += g.dilationHeight) {
      let at = (row * g.inWidth + w.left) * channelBytes + c;
      for (let column = w.left; column < w.right; column += g.dilationWidth, at += step) {
        const hit = v128.and(open, f32x4.eq(v128.load(x + at), largest));
        v128.store(dx + at, f32x4.add(v128.load(dx + at), v128.and(gradient, hit)));
        open = v128.andnot(open, hit);
      }
    }
    if (!v128.any_true(open)) continue;
    const at = dx + start + c;
    v128.store(at, f32x4.add(v128.load(at), v128.and(gradient, open)));
  }
  for (let c = vectorBytes; c < channelBytes; c += 4) {
    const at = dx + firstEqual(g, w, x + c, load<f32>(y + c)) + c;
    store<f32>(at, load<f32>(at) + load<f32>(dy + c));
  }
}

/** Byte offset of the first pixel with that value in one channel; of the first pixel if there is none. */
function firstEqual(g: Convolution, w: Window, x: usize, value: f32): i32 {
  const channelBytes = g.inChannels << 2;
  for (let row = w.top; row < w.bottom; row += g.dilationHeight) {
    for (let column = w.left; column < w.right; column += g.dilationWidth) {
      const at = (row * g.inWidth + column) * channelBytes;
      if (load<f32>(x + at) == value) return at;
    }
  }
  return (w.top * g.inWidth + w.left) * channelBytes;
}

/** The gradient of each window is shared evenly among its pixels inside the picture. */
export function averagePoolGradient(geometry: usize, dy: usize, dx: usize): void {
  const g = changetype<Convolution>(geometry);
  const sampleBytes = (g.inHeight * g.inWidth * g.inChannels) << 2;
  const window = changetype<Window>(allocate(offsetof<Window>()));
  memory.fill(dx, 0, g.batch * sampleBytes);
  for (let sample = 0; sample < g.batch; sample++, dx += sampleBytes) {
    for (let row = 0; row < g.outHeight; row++) {
      for (let column = 0; column < g.outWidth; column++, dy += g.inChannels << 2) {
        if (placeWindow(g, row, column, window)) shareWindow(g, window, dy, dx);
      }
    }
  }
  free(changetype<usize>(window));
}

function shareWindow(g: Convolution, w: Window, dy: usize, dx: usize): void {
  const channelBytes = g.inChannels << 2,
    vectorBytes = (g.inChannels & ~3) << 2;
  const pixels = <f32>(steps(w.top, w.bottom, g.dilationHeight) * steps(w.left, w.right, g.dilationWidth));
  for (let row = w.top; row < w.bottom; row += g.dilationHeight) {
    for (let column = w.left; column < w.right; column += g.dilationWidth) {
      const at = dx + (row * g.inWidth + column) * channelBytes;
      for (let c = 0; c < vectorBytes; c += 16) {
        const share = f32x4.div(v128.load(dy + c), f32x4.splat(pixels));
        v128.store(at + c, f32x4.add(v128.load(at + c), share));
      }
      for (let c = vectorBytes; c < channelBytes; c += 4) {
        store<f32>(at + c, load<f32>(at + c) + load<f32>(dy + c) / pixels);
      }
    }
  }
}

function steps(from: i32, to: i32, step: i32): i32 {
  return (to - from + step - 1) / step;
}
