import { util } from '#tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, expectShape, floatInput } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import { kernelsOn } from './module.ts';
import { addParts, partsOf, withNumbers } from './parts.ts';

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

/** Rows of a part for which the module adds the products of all parts in one go. */
const mostRows = 256;

/**
 * `x' dy` of `[samples, m]` and `[samples, n]`, part by part (`parts`): the gradient of a dense layer by its weights.
 *
 * @throws RangeError where the samples differ.
 */
export const sumOfProducts: WasmKernel = ({ inputs, attrs, backend }) => {
  const [x, dy] = [floatInput(inputs, 'x'), floatInput(inputs, 'dy')];
  const [samples, m] = x.shape as [number, number];
  expectShape('dy', dy, [samples, dy.shape[1] as number]);
  const n = dy.shape[1] as number;
  const parts = partsOf({ attrs }, samples);
  const sum = allocate(backend, [m, n]);
  const { run } = kernelsOn(backend);
  const at = (tensor: TensorInfo): number => addressOf(backend, tensor);
  if (parts.every((count) => count <= mostRows)) {
    withNumbers(backend, parts, (sizes) =>
      run.sumOfProducts(at(x), at(dy), at(sum), m, n, sizes, parts.length),
    );
    return sum;
  }
  addParts(backend, { parts, sums: [sum] }, ({ first, count }, [part]) => {
    const [a, b] = [at(x) + 4 * first * m, at(dy) + 4 * first * n];
    run.matMul(a, b, addressOf(backend, part), m, count, n, true, false);
  });
  return sum;
};

function stackSize(tensor: TensorInfo): number {
  return util.sizeFromShape(tensor.shape.slice(0, -2));
}

function sidesOf(tensor: TensorInfo, transposed: boolean): [number, number] {
  const [rows, columns] = tensor.shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}
