import { backend_util } from '@tensorflow/tfjs-core';
import { allocate, floatInput, view } from './heap.ts';
import type { WasmKernel } from './heap.ts';

type PoolInfo = backend_util.Conv2DInfo;

/** Input, output and their gradients, as flat arrays. */
interface PoolArrays {
  x: Float32Array;
  y: Float32Array;
  dy: Float32Array;
  dx: Float32Array;
}

/**
 * `MaxPoolGrad` as TensorFlow defines it: the gradient of a window goes to its first maximum, in row order. (The
 * backend's own kernel takes the last one, and three times as long.) The maximum is known from the forward pass, so
 * a comparison for equality finds it; where it is NaN, the gradient goes to the first pixel.
 */
export const maxPoolGradient: WasmKernel = ({ inputs, attrs, backend }) => {
  const dy = floatInput(inputs, 'dy');
  const x = floatInput(inputs, 'input');
  const y = floatInput(inputs, 'output');
  const info = poolInfo(x.shape, attrs);
  const out = allocate(backend, x.shape);
  const dx = view(backend, out).fill(0);
  routeAll({ x: view(backend, x), y: view(backend, y), dy: view(backend, dy), dx }, info);
  return out;
};

function poolInfo(shape: readonly number[], attrs: object): PoolInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as {
    filterSize: [number, number] | number;
    strides: [number, number] | number;
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  const shape4D = shape as [number, number, number, number];
  return backend_util.computePool2DInfo(shape4D, filterSize, strides, 1, pad, dimRoundingMode);
}

/** Visits the windows in row order, which fixes the order of additions where windows overlap. */
function routeAll(arrays: PoolArrays, info: PoolInfo): void {
  const window: number[] = [];
  let output = 0;
  for (let sample = 0; sample < info.batchSize; sample++) {
    for (let row = 0; row < info.outHeight; row++) {
      for (let column = 0; column < info.outWidth; column++) {
        listWindow(window, info, sample, row, column);
        if (window.length === 4) routeFour(arrays, window, output, info.outChannels);
        else routeAny(arrays, window, output, info.outChannels);
        output += info.outChannels;
      }
    }
  }
}

/** Where the pixels of a window start in `x`, in row order, without those in the padding. */
function listWindow(window: number[], info: PoolInfo, sample: number, row: number, column: number): void {
  const top = row * info.strideHeight - info.padInfo.top;
  const left = column * info.strideWidth - info.padInfo.left;
  const bottom = Math.min(top + info.filterHeight, info.inHeight);
  const right = Math.min(left + info.filterWidth, info.inWidth);
  window.length = 0;
  for (let y = Math.max(top, 0); y < bottom; y++) {
    for (let x = Math.max(left, 0); x < right; x++) {
      window.push(((sample * info.inHeight + y) * info.inWidth + x) * info.inChannels);
    }
  }
}

/** One window of any size, all channels. */
function routeAny(arrays: PoolArrays, window: readonly number[], output: number, channels: number): void {
  const { x, y, dy, dx } = arrays;
  for (let c = 0; c < channels; c++) {
    const largest = y[output + c] as number;
    let k = 0;
    while (k < window.length && x[(window[k] as number) + c] !== largest) k++;
    const place = (window[k < window.length ? k : 0] as number) + c;
    dx[place] = (dx[place] as number) + (dy[output + c] as number);
  }
}

/** The usual window of four pixels, unrolled: half the time. */
function routeFour(arrays: PoolArrays, window: readonly number[], output: number, channels: number): void {
  const { x, y, dy, dx } = arrays;
  const [first, second, third, fourth] = window as [number, number, number, number];
  for (let c = 0; c < channels; c++) {
    const gradient = dy[output + c] as number;
    // Where a relu follows, half of the gradients are zero.
    if (gradient === 0) continue;
    const largest = y[output + c] as number;
    let place = first + c;
    if (x[place] !== largest) {
      if (x[second + c] === largest) place = second + c;
      else if (x[third + c] === largest) place = third + c;
      else if (x[fourth + c] === largest) place = fourth + c;
    }
    dx[place] = (dx[place] as number) + gradient;
  }
}
