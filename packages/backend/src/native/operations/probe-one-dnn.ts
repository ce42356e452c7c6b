import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor, tensor1d, tidy } from '#tfjs-core';
import type { Operation, TensorflowBackend } from './execute.ts';
import { executeOne } from './execute.ts';
import { executePrivate, maxPool, maxPoolGradient } from './one-dnn.ts';
import type { WindowAttributes } from './window.ts';
import { windowOf } from './window.ts';

/**
 * Do TensorFlow's private operations exist, and do they agree with the public ones on small tensors? To the last bit: sums
 * of small whole numbers are exact in any order, and of equal maxima the first must get the gradient. Takes some
 * milliseconds.
 */
export function oneDnnAgrees(backend: TensorflowBackend): boolean {
  try {
    return tidy(
      () =>
        matrixProductsAgree(backend) &&
        ['valid', 'same'].every((pad) => convolutionsAgree(backend, pad) && poolingAgrees(backend, pad)),
    );
  } catch {
    // An operation or attribute that this library does not have.
    return false;
  }
}

function matrixProductsAgree(backend: TensorflowBackend): boolean {
  const [x, kernel, dy] = [pattern([5, 7]), pattern([7, 3]), pattern([5, 3])];
  const product = (a: Tensor, b: Tensor, [transpose_a, transpose_b]: [boolean, boolean]): boolean =>
    agrees(backend, { name: 'MatMul', attributes: { transpose_a, transpose_b }, inputs: [a, b] });
  return (
    product(x, kernel, [false, false]) && product(x, dy, [true, false]) && product(dy, kernel, [false, true])
  );
}

/** Odd sides: the last row and column count with padding `same` only. */
const shape = [2, 7, 5, 3];

function convolutionsAgree(backend: TensorflowBackend, pad: string): boolean {
  const attributes = windowOf({ strides: 1, pad }) as WindowAttributes;
  const [x, filter] = [pattern(shape), pattern([3, 3, 3, 4])];
  const output = executeOne(backend, { name: 'Conv2D', attributes, inputs: [x, filter] });
  const dy = pattern(output.shape);
  const operations: Operation[] = [
    { name: 'Conv2D', attributes, inputs: [x, filter] },
    { name: 'Conv2DBackpropFilter', attributes, inputs: [x, sizes(filter), dy] },
    { name: 'Conv2DBackpropInput', attributes, inputs: [sizes(x), filter, dy] },
  ];
  return operations.every((operation) => agrees(backend, operation));
}

function sizes({ shape }: Tensor): Tensor {
  return tensor1d(shape, 'int32');
}

function poolingAgrees(backend: TensorflowBackend, pad: string): boolean {
  const window = windowOf({ strides: 2, pad, filterSize: 2 }) as WindowAttributes;
  const x = pattern(shape);
  const expected = executeOne(backend, { name: 'MaxPool', attributes: window, inputs: [x] });
  const [output, winners] = maxPool(backend, x, window);
  const dy = pattern(output.shape);
  const operation = { name: 'MaxPoolGrad', attributes: window, inputs: [x, expected, dy] };
  return (
    areEqual(expected, output) &&
    areEqual(executeOne(backend, operation), maxPoolGradient(backend, { x, output, winners, dy }, window))
  );
}

/** Small whole numbers; most windows hold their maximum twice. */
function pattern(sides: number[]): Tensor {
  const size = sides.reduce((product, side) => product * side, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => ((i * i + 3 * i) % 5) - 2),
    sides,
  );
}

function agrees(backend: TensorflowBackend, operation: Operation): boolean {
  return areEqual(executeOne(backend, operation), executePrivate(backend, operation));
}

function areEqual(a: Tensor, b: Tensor): boolean {
  const [expected, found] = [a.dataSync(), b.dataSync()];
  return expected.length === found.length && expected.every((value, i) => value === found[i]);
}
