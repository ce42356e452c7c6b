import { util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { convolutionInfo } from './convolution.ts';
import { allocate, floatInput, free, reshaped, view } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import type { MatrixKernels } from './matrix.ts';
import { gatherPatches } from './patches.ts';
import type { PatchWork } from './patches.ts';

/** Elements of the larger operand of a chunk's product: 2.5 MB, which stays in a processor's own cache. */
const chunkElements = 640 * 1024;

/**
 * `Conv2DBackpropFilter`, which the wasm backend lacks, for any stride and padding, dilation 1. The pixels of x that
 * each filter element meets are gathered into one row each (im2col, transposed); the gradient is that matrix times
 * dy. It is summed over chunks of whole samples, in their order, in double precision.
 */
export function createConv2dFilterGradient(matrix: MatrixKernels): WasmKernel {
  return ({ inputs, attrs, backend }) => {
    const x = floatInput(inputs, 'x');
    const dy = floatInput(inputs, 'dy');
    const filterShape = attrs['filterShape'] as number[];
    const info = convolutionInfo(x.shape, filterShape, attrs);
    const planes = channelPlanes(backend, x, matrix);
    const sum = new Float64Array(util.sizeFromShape(filterShape));
    const rows = Math.max(sum.length / info.outChannels, info.outChannels);
    const samples = Math.max(1, Math.floor(chunkElements / (rows * info.outHeight * info.outWidth)));
    for (let from = 0; from < info.batchSize; from += samples) {
      const work = { info, from, to: Math.min(from + samples, info.batchSize) };
      addInto(sum, backend, chunkGradient(backend, matrix, { ...work, planes, dy }));
    }
    free(backend, planes);
    const out = allocate(backend, filterShape);
    view(backend, out).set(sum);
    return out;
  };
}

/** `[samples x height x width x channels]` to `[channels x samples x height x width]`: copies are then contiguous. */
function channelPlanes(backend: BackendWasm, x: TensorInfo, { transpose }: MatrixKernels): TensorInfo {
  const channels = x.shape.at(-1) as number;
  return transpose(backend, reshaped(x, [util.sizeFromShape(x.shape) / channels, channels]));
}

interface ChunkInputs extends PatchWork {
  planes: TensorInfo;
  dy: TensorInfo;
}

/** The gradient of some samples, `[filter rows x filters]`. */
function chunkGradient(backend: BackendWasm, matrix: MatrixKernels, inputs: ChunkInputs): TensorInfo {
  const { info, from, to, planes, dy } = inputs;
  const pixels = (to - from) * info.outHeight * info.outWidth;
  const filterRows = info.filterHeight * info.filterWidth * info.inChannels;
  const patches = allocate(backend, [filterRows, pixels]);
  const gradient = allocate(backend, [pixels, info.outChannels]);
  gatherPatches(view(backend, planes), view(backend, patches), inputs);
  gatherGradient(view(backend, dy), view(backend, gradient), inputs);
  const result = product(backend, matrix, [patches, gradient]);
  free(backend, patches, gradient);
  return result;
}

/** dy of some samples, its pixels in the order of {@link gatherPatches}: row, sample, column. */
function gatherGradient(dy: Float32Array, target: Float32Array, { info, from, to }: PatchWork): void {
  const row = info.outWidth * info.outChannels;
  let at = 0;
  for (let y = 0; y < info.outHeight; y++) {
    for (let sample = from; sample < to; sample++, at += row) {
      const start = (sample * info.outHeight + y) * row;
      target.set(dy.subarray(start, start + row), at);
    }
  }
}

/** `a` times `b`. The backend packs the right operand, slowly, so the narrower of the two goes there. */
function product(
  backend: BackendWasm,
  { transpose, multiply }: MatrixKernels,
  [a, b]: [TensorInfo, TensorInfo],
): TensorInfo {
  if ((a.shape[0] as number) >= (b.shape[1] as number)) return multiply(backend, a, b);
  const left = transpose(backend, b);
  const right = transpose(backend, a);
  const transposed = multiply(backend, left, right);
  const result = transpose(backend, transposed);
  free(backend, left, right, transposed);
  return result;
}

/** Adds a tensor to `sum` and frees it. */
function addInto(sum: Float64Array, backend: BackendWasm, part: TensorInfo): void {
  const values = view(backend, part);
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (values[i] as number);
  free(backend, part);
}
