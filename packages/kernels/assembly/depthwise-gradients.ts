// Gradients of a depthwise convolution: output channel `c * multiplier + m` sees input channel c only.
import { allocate, allocateZeros, free } from './heap';
import { Convolution } from './convolution';
import { addDoubles } from './vector-lanes';

/** Bytes of the channels whose sums stay in registers: four vectors, so that one addition need not wait for the one before. */
const blockBytes: i32 = 64;

/**
 * The gradient by x, pixel after pixel; the outputs that see a pixel add to it in their order. `outChannels` of the geometry is the
 * multiplier.
 */
export function depthwiseInputGradient(geometry: usize, filter: usize, dy: usize, dx: usize): void {
  const g = changetype<Convolution>(geometry);
  const pixel = (g.inChannels * g.outChannels) << 2;
  const columnBytes = (g.filterWidth + 1) << 3;
  const columns = allocate(g.inWidth * columnBytes);
  for (let column = 0; column < g.inWidth; column++) {
    const list = columns + column * columnBytes;
    listOutputs(
      column + g.padLeft,
      g.filterWidth,
      g.dilationWidth,
      g.strideWidth,
      g.outWidth,
      pixel,
      pixel,
      list,
    );
  }
  const row = allocate((g.filterHeight + 1) << 3);
  const tapRow = g.filterWidth * pixel,
    outRow = g.outWidth * pixel;
  for (let sample = 0; sample < g.batch; sample++, dy += g.outHeight * outRow) {
    for (let i = 0; i < g.inHeight; i++) {
      listOutputs(
        i + g.padTop,
        g.filterHeight,
        g.dilationHeight,
        g.strideHeight,
        g.outHeight,
        tapRow,
        outRow,
        row,
      );
      for (let column = 0; column < g.inWidth; column++, dx += g.inChannels << 2) {
        sumProducts(g, filter, dy, row, columns + column * columnBytes, dx);
      }
    }
  }
  free(row);
  free(columns);
}

/**
 * Lists the outputs that see a row or column of x, in their order, as byte offsets of the weights and of dy; behind the last one is a
 * negative number.
 */
function listOutputs(
  place: i32,
  taps: i32,
  dilation: i32,
  stride: i32,
  outputs: i32,
  tapBytes: i32,
  outBytes: i32,
  list: usize,
): void {
  for (let tap = taps - 1; tap >= 0; tap--) {
    const start = place - tap * dilation;
    if (start < 0 || start % stride > 0 || start / stride >= outputs) continue;
    store<i32>(list, tap * tapBytes);
    store<i32>(list, (start / stride) * outBytes, 4);
    list += 8;
  }
  store<i32>(list, -1);
}

/** The gradient by a pixel, from the outputs of the rows and columns listed: `dx[c] = sum of w[c][m] dy[c][m]`. */
function sumProducts(g: Convolution, filter: usize, dy: usize, rows: usize, columns: usize, dx: usize): void {
  const multiplier = g.outChannels;
  const end = dx + (g.inChannels << 2);
  for (
    ;
    multiplier == 1 && dx + blockBytes <= end;
    filter += blockBytes, dy += blockBytes, dx += blockBytes
  ) {
    sumBlock(filter, dy, rows, columns, dx);
  }
  for (; multiplier == 1 && dx + 16 <= end; filter += 16, dy += 16, dx += 16) {
    sumVector(filter, dy, rows, columns, dx);
  }
  for (; dx < end; filter += multiplier << 2, dy += multiplier << 2, dx += 4) {
    sumElement(multiplier, filter, dy, rows, columns, dx);
  }
}

function sumBlock(filter: usize, dy: usize, rows: usize, columns: usize, dx: usize): void {
  let s0 = f32x4.splat(0),
    s1 = s0,
    s2 = s0,
    s3 = s0;
  for (; load<i32>(rows) >= 0; rows += 8) {
    const weights = filter + load<i32>(rows),
      gradients = dy + load<i32>(rows, 4);
    for (let i = columns; load<i32>(i) >= 0; i += 8) {
      const w = weights + load<i32>(i),
        d = gradients + load<i32>(i, 4);
      s0 = f32x4.add(s0, f32x4.mul(v128.load(w), v128.load(d)));
      s1 = f32x4.add(s1, f32x4.mul(v128.load(w, 16), v128.load(d, 16)));
      s2 = f32x4.add(s2, f32x4.mul(v128.load(w, 32), v128.load(d, 32)));
      s3 = f32x4.add(s3, f32x4.mul(v128.load(w, 48), v128.load(d, 48)));
    }
  }
  v128.store(dx, s0);
  v128.store(dx, s1, 16);
  v128.store(dx, s2, 32);
  v128.store(dx, s3, 48);
}

function sumVector(filter: usize, dy: usize, rows: usize, columns: usize, dx: usize): void {
  let sum = f32x4.splat(0);
  for (; load<i32>(rows) >= 0; rows += 8) {
    const weights = filter + load<i32>(rows),
      gradients = dy + load<i32>(rows, 4);
    for (let i = columns; load<i32>(i) >= 0; i += 8) {
      const w = v128.load(weights + load<i32>(i));
      sum = f32x4.add(sum, f32x4.mul(w, v128.load(gradients + load<i32>(i, 4))));
    }
  }
  v128.store(dx, sum);
}

function sumElement(multiplier: i32, filter: usize, dy: usize, rows: usize, columns: usize, dx: usize): void {
  let sum: f32 = 0;
  for (; load<i32>(rows) >= 0; rows += 8) {
    const weights = filter + load<i32>(rows),
      gradients = dy + load<i32>(rows, 4);
    for (let i = columns; load<i32>(i) >= 0; i += 8) {
      const w = weights + load<i32>(i),
        d = gradients + load<i32>(i, 4);
      for (let m = 0; m < multiplier << 2; m += 4) sum += load<f32>(w + m) * load<f32>(d + m);
    }
  }
  store<f32>(dx, sum);
}

/** The gradient by the filter: sums over one row of outputs in single precision, their sum in double. */
export function depthwiseFilterGradient(geometry: usize, x: usize, dy: usize, dFilter: usize): void {
  const g = changetype<Convolution>(geometry);
  const outputs = g.inChannels * g.outChannels;
  const rowBytes = (g.inWidth * g.inChannels) << 2;
  const size = g.filterHeight * g.filterWidth * outputs;
  const sums = allocateZeros(size << 3);
  for (let sample = 0; sample < g.batch; sample++, x += g.inHeight * rowBytes) {
    for (let row = 0; row < g.outHeight; row++, dy += (g.outWidth * outputs) << 2) {
      for (let i = 0; i < g.filterHeight; i++) {
        const y = row * g.strideHeight + i * g.dilationHeight - g.padTop;
        if (y < 0 || y >= g.inHeight) continue;
        for (let j = 0; j < g.filterWidth; j++) {
          const tap = i * g.filterWidth + j;
          addRow(g, x + y * rowBytes, j * g.dilationWidth - g.padLeft, dy, sums + ((tap * outputs) << 3));
        }
      }
    }
  }
  for (let i = 0; i < size; i++) store<f32>(dFilter + (i << 2), <f32>load<f64>(sums + (i << 3)));
  free(sums);
}

/** Adds the sums over a row of outputs for one filter element, which meets the pixel `start` of the row of x first. */
function addRow(g: Convolution, x: usize, start: i32, dy: usize, sums: usize): void {
  const stride = g.strideWidth,
    multiplier = g.outChannels;
  // Outputs from the first to before the last one whose pixel lies inside.
  const first = start < 0 ? (stride - 1 - start) / stride : 0;
  const count = min(g.outWidth, (g.inWidth - start + stride - 1) / stride) - first;
  const xStep = (stride * g.inChannels) << 2,
    dyStep = (g.inChannels * multiplier) << 2;
  x += ((start + first * stride) * g.inChannels) << 2;
  dy += first * dyStep;
  const end = x + (g.inChannels << 2);
  for (
    ;
    multiplier == 1 && x + blockBytes <= end;
    x += blockBytes, dy += blockBytes, sums += 2 * blockBytes
  ) {
    addBlock(count, x, xStep, dy, dyStep, sums);
  }
  for (; multiplier == 1 && x + 16 <= end; x += 16, dy += 16, sums += 32) {
    addVector(count, x, xStep, dy, dyStep, sums);
  }
  for (; x < end; x += 4) {
    for (let m = 0; m < multiplier; m++, dy += 4, sums += 8) addElement(count, x, xStep, dy, dyStep, sums);
  }
}

/** Adds the sums of the products of `count` pixels, 16 channels of each. */
function addBlock(count: i32, x: usize, xStep: i32, dy: usize, dyStep: i32, sums: usize): void {
  let s0 = f32x4.splat(0),
    s1 = s0,
    s2 = s0,
    s3 = s0;
  for (; count > 0; count--, x += xStep, dy += dyStep) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(x), v128.load(dy)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(x, 16), v128.load(dy, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(x, 32), v128.load(dy, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(x, 48), v128.load(dy, 48)));
  }
  addDoubles(sums, s0);
  addDoubles(sums + 32, s1);
  addDoubles(sums + 64, s2);
  addDoubles(sums + 96, s3);
}

function addVector(count: i32, x: usize, xStep: i32, dy: usize, dyStep: i32, sums: usize): void {
  let sum = f32x4.splat(0);
  for (; count > 0; count--, x += xStep, dy += dyStep) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(x), v128.load(dy)));
  }
  addDoubles(sums, sum);
}

function addElement(count: i32, x: usize, xStep: i32, dy: usize, dyStep: i32, sums: usize): void {
  let sum: f32 = 0;
  for (; count > 0; count--, x += xStep, dy += dyStep) sum += load<f32>(x) * load<f32>(dy);
  store<f64>(sums, load<f64>(sums) + sum);
}
