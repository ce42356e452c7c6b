import { backend_util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { allocate, floatInput } from './heap.ts';
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
  const view = (tensor: TensorInfo): Float32Array => backend.typedArrayFromHeap(tensor) as Float32Array;
  const dx = view(out).fill(0);
  routeAll({ x: view(x), y: view(y), dy: view(dy), dx }, info);
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

/** A window of the pooling; one object serves all, so that the loop allocates nothing. */
interface Window {
  sample: number;
  row: number;
  column: number;
  /** Where the window's outputs start in `y`. */
  output: number;
  /** Where its pixels start in `x`, in row order, without those in the padding. */
  pixels: number[];
}

/** Visits the windows in row order, which fixes the order of additions where windows overlap. */
function routeAll(arrays: PoolArrays, info: PoolInfo): void {
  const window: Window = { sample: 0, row: 0, column: 0, output: 0, pixels: [] };
  for (window.sample = 0; window.sample < info.batchSize; window.sample++) {
    for (window.row = 0; window.row < info.outHeight; window.row++) {
      for (window.column = 0; window.column < info.outWidth; window.column++) {
        listPixels(window, info);
        if (window.pixels.length === 4) routeFour(arrays, window, info.outChannels);
        else routeAny(arrays, window, info.outChannels);
        window.output += info.outChannels;
      }
    }
  }
}

function listPixels({ sample, row, column, pixels }: Window, info: PoolInfo): void {
  const top = row * info.strideHeight - info.padInfo.top;
  const left = column * info.strideWidth - info.padInfo.left;
  const bottom = Math.min(top + info.filterHeight, info.inHeight);
  const right = Math.min(left + info.filterWidth, info.inWidth);
  pixels.length = 0;
  for (let y = Math.max(top, 0); y < bottom; y++) {
    for (let x = Math.max(left, 0); x < right; x++) {
      pixels.push(((sample * info.inHeight + y) * info.inWidth + x) * info.inChannels);
    }
  }
}

/** One window of any size, all channels. */
function routeAny({ x, y, dy, dx }: PoolArrays, { pixels, output }: Window, channels: number): void {
  for (let c = 0; c < channels; c++) {
    const largest = y[output + c] as number;
    let k = 0;
    while (k < pixels.length && x[(pixels[k] as number) + c] !== largest) k++;
    const place = (pixels[k < pixels.length ? k : 0] as number) + c;
    dx[place] = (dx[place] as number) + (dy[output + c] as number);
  }
}

/** The usual window of four pixels, unrolled: half the time. */
function routeFour({ x, y, dy, dx }: PoolArrays, { pixels, output }: Window, channels: number): void {
  const [first, second, third, fourth] = pixels as [number, number, number, number];
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
