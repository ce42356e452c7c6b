import { util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { convolutionInfo } from './convolution.ts';
import type { ConvolutionInfo } from './convolution.ts';
import { allocate, floatInput, free, reshaped, view } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import type { MatrixKernels } from './matrix.ts';

/** Samples `[from, to)` of a batch. */
interface Chunk {
  from: number;
  to: number;
}

/** Output pixels whose patches are gathered at a time: 2 MB for 3 x 3 x 32, which stays in the cache. */
const chunkPixels = 2048;

/**
 * `Conv2DBackpropFilter`, which the wasm backend lacks, for any stride and padding, dilation 1. The patches of x that
 * each filter element meets are gathered as rows (im2col, transposed); the gradient is that matrix times dy. It is
 * summed over chunks of whole samples, in their order, in double precision.
 */
export function createConv2dFilterGradient(matrix: MatrixKernels): WasmKernel {
  return ({ inputs, attrs, backend }) => {
    const [x, dy] = [floatInput(inputs, 'x'), floatInput(inputs, 'dy')];
    const filterShape = attrs['filterShape'] as [number, number, number, number];
    const info = convolutionInfo(x.shape, filterShape, attrs);
    const planes = channelPlanes(backend, x, matrix);
    const sum = new Float64Array(util.sizeFromShape(filterShape));
    const pixels = info.outHeight * info.outWidth;
    const step = Math.max(1, Math.floor(chunkPixels / pixels));
    for (let from = 0; from < info.batchSize; from += step) {
      const chunk = { from, to: Math.min(from + step, info.batchSize) };
      const patches = gatherPatches(backend, planes, { info, chunk });
      const gradient = copyPixels(backend, dy, { info, chunk });
      const part = product(backend, matrix, { patches, gradient });
      view(backend, part).forEach((value, i) => {
        sum[i] = (sum[i] as number) + value;
      });
      free(backend, patches, gradient, part);
    }
    free(backend, planes);
    const out = allocate(backend, filterShape);
    view(backend, out).set(sum);
    return out;
  };
}

/** `[samples x height x width x channels]` to `[channels x samples x height x width]`, so that copies are contiguous. */
function channelPlanes(backend: BackendWasm, x: TensorInfo, { transpose }: MatrixKernels): TensorInfo {
  const channels = x.shape.at(-1) as number;
  return transpose(backend, reshaped(x, [util.sizeFromShape(x.shape) / channels, channels]));
}

/** `patches` times `gradient`. The right operand is packed, so the narrower of the two should stand there. */
function product(
  backend: BackendWasm,
  { transpose, multiply }: MatrixKernels,
  { patches, gradient }: { patches: TensorInfo; gradient: TensorInfo },
): TensorInfo {
  if ((patches.shape[0] as number) >= (gradient.shape[1] as number))
    return multiply(backend, patches, gradient);
  const [left, right] = [transpose(backend, gradient), transpose(backend, patches)];
  const transposed = multiply(backend, left, right);
  const result = transpose(backend, transposed);
  free(backend, left, right, transposed);
  return result;
}

/** dy of the chunk as `[pixels x filters]`. A copy, because the backend packs a right operand once for its life. */
function copyPixels(backend: BackendWasm, dy: TensorInfo, { info, chunk }: Work): TensorInfo {
  const pixels = info.outHeight * info.outWidth;
  const out = allocate(backend, [(chunk.to - chunk.from) * pixels, info.outChannels]);
  const size = pixels * info.outChannels;
  view(backend, out).set(view(backend, dy).subarray(chunk.from * size, chunk.to * size));
  return out;
}

interface Work {
  info: ConvolutionInfo;
  chunk: Chunk;
}

/**
 * The matrix `[filterHeight filterWidth channels x pixels of the chunk]`: in row (i, j, c), the value of x that filter
 * element (i, j, c) meets at each output pixel; zero in the padding.
 */
function gatherPatches(backend: BackendWasm, planes: TensorInfo, { info, chunk }: Work): TensorInfo {
  const pixels = info.outHeight * info.outWidth;
  const rows = info.filterHeight * info.filterWidth * info.inChannels;
  const out = allocate(backend, [rows, (chunk.to - chunk.from) * pixels]);
  const [source, target] = [view(backend, planes), view(backend, out)];
  let at = 0;
  for (let i = 0; i < info.filterHeight; i++) {
    for (let j = 0; j < info.filterWidth; j++) {
      for (let c = 0; c < info.inChannels; c++) {
        for (let sample = chunk.from; sample < chunk.to; sample++) {
          const plane = (c * info.batchSize + sample) * info.inHeight * info.inWidth;
          gatherPlane(source, target, { info, plane, at, i, j });
          at += pixels;
        }
      }
    }
  }
  return out;
}

/** One channel of one sample, seen through filter element (i, j). */
function gatherPlane(
  source: Float32Array,
  target: Float32Array,
  { info, plane, at, i, j }: { info: ConvolutionInfo; plane: number; at: number; i: number; j: number },
): void {
  const { inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  const left = j - padInfo.left;
  // The columns [first, last) of the output that meet a pixel inside the picture.
  const first = Math.min(outWidth, Math.max(0, Math.ceil(-left / strideWidth)));
  const last = Math.max(first, Math.min(outWidth, Math.ceil((inWidth - left) / strideWidth)));
  for (let row = 0, to = at; row < outHeight; row++, to += outWidth) {
    const y = row * strideHeight + i - padInfo.top;
    if (y < 0 || y >= inHeight) {
      target.fill(0, to, to + outWidth);
      continue;
    }
    for (let column = 0; column < first; column++) target[to + column] = 0;
    let from = plane + y * inWidth + left + first * strideWidth;
    for (let column = first; column < last; column++, from += strideWidth) {
      target[to + column] = source[from] as number;
    }
    for (let column = last; column < outWidth; column++) target[to + column] = 0;
  }
}
