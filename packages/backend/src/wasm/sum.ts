import { util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { allocate, view } from './heap.ts';
import type { WasmKernel } from './heap.ts';

/**
 * `Sum` over leading axes (a bias gradient: all axes but the channels) in one pass with double accumulators. The
 * backend's own kernel transposes the tensor first (12 ms instead of 2.6 for 128 x 26 x 26 x 32) and adds in
 * float32. Any other reduction goes to the backend's kernel.
 */
export function createSum(own: WasmKernel): WasmKernel {
  return (call) => {
    const { inputs, attrs, backend } = call;
    const x = inputs['x'] as TensorInfo;
    const axes = util.parseAxisParam(attrs['axis'] as number[], x.shape);
    const leading = axes.length;
    if (x.dtype !== 'float32' || !isLeading(axes) || leading === x.shape.length) return own(call);
    const kept = x.shape.slice(leading);
    const shape = attrs['keepDims'] ? [...Array<number>(leading).fill(1), ...kept] : kept;
    const out = allocate(backend, shape);
    view(backend, out).set(sumRows(view(backend, x), util.sizeFromShape(kept)));
    return out;
  };
}

/** Are the axes 0, 1, ... up to their number? */
function isLeading(axes: readonly number[]): boolean {
  return axes.length > 0 && [...axes].sort((a, b) => a - b).every((axis, i) => axis === i);
}

/** The sum of all rows of a row-major matrix; four rows at a time, which halves the reads of the accumulators. */
function sumRows(values: Float32Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  const value = (i: number): number => values[i] as number;
  let row = 0;
  for (; row + 4 * columns <= values.length; row += 4 * columns) {
    for (let c = 0, i = row; c < columns; c++, i++) {
      const upper = value(i) + value(i + columns);
      const lower = value(i + 2 * columns) + value(i + 3 * columns);
      sums[c] = (sums[c] as number) + (upper + lower);
    }
  }
  for (; row < values.length; row += columns) {
    for (let c = 0; c < columns; c++) sums[c] = (sums[c] as number) + value(row + c);
  }
  return sums;
}
