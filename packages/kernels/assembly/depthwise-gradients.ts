// Gradients of a depthwise convolution: output channel `c * multiplier + m` sees input channel c only.
import { allocateZeros, free } from './heap';
import { Convolution } from './convolution';

/** The gradient by x. `outChannels` of the geometry is the multiplier. */
export function depthwiseInputGradient(geometry: usize, filter: usize, dy: usize, dx: usize): void {
  const g = changetype<Convolution>(geometry);
  const sampleBytes = (g.inHeight * g.inWidth * g.inChannels) << 2;
  memory.fill(dx, 0, g.batch * sampleBytes);
  for (let sample = 0; sample < g.batch; sample++, dx += sampleBytes) {
    for (let row = 0; row < g.outHeight; row++) {
      for (let column = 0; column < g.outWidth; column++) {
        for (let tap = 0; tap < g.filterHeight * g.filterWidth; tap++) {
          const offset = tapOffset(g, row, column, tap);
          const weights = filter + ((tap * g.inChannels * g.outChannels) << 2);
          if (offset >= 0) addProducts(weights, dy, dx + offset, g.inChannels, g.outChannels);
        }
        dy += (g.inChannels * g.outChannels) << 2;
      }
    }
  }
}

/** The gradient by the filter: sums over one row of outputs in single precision, their sum in double. */
export function depthwiseFilterGradient(geometry: usize, x: usize, dy: usize, dFilter: usize): void {
  const g = changetype<Convolution>(geometry);
  const taps = g.filterHeight * g.filterWidth,
    outputs = g.inChannels * g.outChannels;
  const rowSums = allocateZeros((taps * outputs) << 2);
  const sums = allocateZeros((taps * outputs) << 3);
  for (let sample = 0; sample < g.batch; sample++, x += (g.inHeight * g.inWidth * g.inChannels) << 2) {
    for (let row = 0; row < g.outHeight; row++) {
      for (let column = 0; column < g.outWidth; column++, dy += outputs << 2) {
        for (let tap = 0; tap < taps; tap++) {
          const offset = tapOffset(g, row, column, tap);
          if (offset < 0) continue;
          addOuterProducts(x + offset, dy, rowSums + ((tap * outputs) << 2), g.inChannels, g.outChannels);
        }
      }
      moveSums(rowSums, sums, taps * outputs);
    }
  }
  for (let i = 0; i < taps * outputs; i++) store<f32>(dFilter + (i << 2), <f32>load<f64>(sums + (i << 3)));
  free(rowSums);
  free(sums);
}

/** Byte offset in a sample of the pixel that a filter element meets at an output pixel; -1 in the padding. */
function tapOffset(g: Convolution, row: i32, column: i32, tap: i32): i32 {
  const y = row * g.strideHeight + (tap / g.filterWidth) * g.dilationHeight - g.padTop;
  const x = column * g.strideWidth + (tap % g.filterWidth) * g.dilationWidth - g.padLeft;
  if (y < 0 || x < 0 || y >= g.inHeight || x >= g.inWidth) return -1;
  return ((y * g.inWidth + x) * g.inChannels) << 2;
}

/** `dx[c] += sum over m of w[c][m] dy[c][m]`. */
function addProducts(weights: usize, dy: usize, dx: usize, channels: i32, multiplier: i32): void {
  let c = 0;
  for (; multiplier == 1 && c + 4 <= channels; c += 4, weights += 16, dy += 16, dx += 16) {
    v128.store(dx, f32x4.add(v128.load(dx), f32x4.mul(v128.load(weights), v128.load(dy))));
  }
  for (; c < channels; c++, dx += 4) {
    let sum = load<f32>(dx);
    for (let m = 0; m < multiplier; m++, weights += 4, dy += 4) sum += load<f32>(weights) * load<f32>(dy);
    store<f32>(dx, sum);
  }
}

/** `sums[c][m] += x[c] dy[c][m]`. */
function addOuterProducts(x: usize, dy: usize, sums: usize, channels: i32, multiplier: i32): void {
  let c = 0;
  for (; multiplier == 1 && c + 4 <= channels; c += 4, x += 16, dy += 16, sums += 16) {
    v128.store(sums, f32x4.add(v128.load(sums), f32x4.mul(v128.load(x), v128.load(dy))));
  }
  for (; c < channels; c++, x += 4) {
    for (let m = 0; m < multiplier; m++, dy += 4, sums += 4) {
      store<f32>(sums, load<f32>(sums) + load<f32>(x) * load<f32>(dy));
    }
  }
}

/** Adds single-precision sums to the double ones and clears them. */
function moveSums(from: usize, to: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const place = to + (i << 3);
    store<f64>(place, load<f64>(place) + load<f32>(from + (i << 2)));
  }
  memory.fill(from, 0, count << 2);
}
