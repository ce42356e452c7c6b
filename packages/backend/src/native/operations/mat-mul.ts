import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { NativeKernel } from './execute.ts';
import { executePrivate } from './one-dnn.ts';

/** `BatchMatMul` of two matrices; more of them go to tfjs's own kernel. */
export function createMatMul(own: NativeKernel): NativeKernel {
  return (call) => {
    const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo };
    const areMatrices = [a, b].every(({ shape, dtype }) => shape.length === 2 && dtype === 'float32');
    if (!areMatrices) return own(call);
    const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
    const attributes = { transpose_a: transposeA, transpose_b: transposeB };
    return executePrivate(call.backend, { name: 'MatMul', attributes, inputs: [a, b] });
  };
}
