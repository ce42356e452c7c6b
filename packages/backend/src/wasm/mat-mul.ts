import { util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { floatInput, free, reshaped } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import type { MatrixKernels } from './matrix.ts';

/**
 * `BatchMatMul` that transposes its operands first where the flags ask for it. The backend's own kernel has a fast
 * path for one pair of matrices without flags only; with flags it takes six times as long (62 ms against 10 for
 * the dense layers of the article's network). Stacks of several matrices go to the backend's kernel as before.
 */
export function createMatMul(own: WasmKernel, { transpose, multiply }: MatrixKernels): WasmKernel {
  return (call) => {
    const { inputs, attrs, backend } = call;
    const [a, b] = [floatInput(inputs, 'a'), floatInput(inputs, 'b')];
    const { transposeA, transposeB } = attrs;
    if ((!transposeA && !transposeB) || stackSize(a) !== 1 || stackSize(b) !== 1) return own(call);
    const left = transposeA ? transpose(backend, matrixOf(a)) : matrixOf(a);
    const right = transposeB ? transpose(backend, matrixOf(b)) : matrixOf(b);
    if (left.shape[1] !== right.shape[0]) {
      throw new RangeError(
        `BatchMatMul: inner sizes ${left.shape[1]} of a and ${right.shape[0]} of b differ`,
      );
    }
    const product = multiply(backend, left, right);
    if (transposeA) free(backend, left);
    if (transposeB) free(backend, right);
    const rank = Math.max(a.shape.length, b.shape.length);
    return { ...product, shape: [...Array<number>(rank - 2).fill(1), ...product.shape] };
  };
}

function stackSize(tensor: TensorInfo): number {
  return util.sizeFromShape(tensor.shape.slice(0, -2));
}

function matrixOf(tensor: TensorInfo): TensorInfo {
  return reshaped(tensor, tensor.shape.slice(-2));
}
