import { util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, floatInput } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import { kernelsOn } from './module.ts';

/**
 * `BatchMatMul`, either operand transposed or not.
 *
 * @throws RangeError where the inner sizes differ.
 */
export function createMatMul(own: WasmKernel): WasmKernel {
  return (call) => {
    const { inputs, attrs, backend } = call;
    const [a, b] = [floatInput(inputs, 'a'), floatInput(inputs, 'b')];
    const [transposeA, transposeB] = [attrs['transposeA'] === true, attrs['transposeB'] === true];
    if (stackSize(a) !== 1 || stackSize(b) !== 1) return own(call);
    const [m, k] = sidesOf(a, transposeA);
    const [inner, n] = sidesOf(b, transposeB);
    if (k !== inner) throw new RangeError(`BatchMatMul: inner sizes ${k} of a and ${inner} of b differ`);
    const rank = Math.max(a.shape.length, b.shape.length);
    const c = allocate(backend, [...Array<number>(rank - 2).fill(1), m, n]);
    const at = (tensor: TensorInfo): number => addressOf(backend, tensor);
    kernelsOn(backend).run.matMul(at(a), at(b), at(c), m, k, n, transposeA, transposeB);
    return c;
  };
}

function stackSize(tensor: TensorInfo): number {
  return util.sizeFromShape(tensor.shape.slice(0, -2));
}

function sidesOf(tensor: TensorInfo, transposed: boolean): [number, number] {
  const [rows, columns] = tensor.shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}
