import type { TensorInfo } from '@tensorflow/tfjs-core';
import { allocate, floatInput } from './heap.ts';
import type { WasmKernel } from './heap.ts';

/**
 * `UnsortedSegmentSum`, the gradient of `gather` and so of an embedding: adds up the rows of `x` that carry the same
 * number, in their order; rows with a number outside the range are dropped.
 */
export const unsortedSegmentSum: WasmKernel = ({ inputs, attrs, backend }) => {
  const x = floatInput(inputs, 'x');
  const segmentIds = inputs['segmentIds'] as TensorInfo;
  const segments = attrs['numSegments'] as number;
  const y = allocate(backend, [segments, ...x.shape.slice(segmentIds.shape.length)]);
  const [rows, ids, sums] = [x, segmentIds, y].map((tensor) => backend.typedArrayFromHeap(tensor)) as [
    Float32Array,
    Int32Array,
    Float32Array,
  ];
  sums.fill(0);
  const width = sums.length / segments;
  for (const [row, id] of ids.entries()) {
    if (id < 0 || id >= segments) continue;
    for (let i = 0; i < width; i++) sums[id * width + i]! += rows[row * width + i]!;
  }
  return y;
};
