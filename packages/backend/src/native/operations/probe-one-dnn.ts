import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { Operation, TensorflowBackend } from './execute.ts';
import { executeOne } from './execute.ts';
import { executePrivate, maxPool, maxPoolGradient } from './one-dnn.ts';
import type { WindowAttributes } from './window.ts';
import { windowOf } from './window.ts';

/**
 * Do TensorFlow's private operations exist, and do they agree with the public ones on small tensors? Pooling must agree to
 * the last bit, ties included, convolutions up to rounding. Takes some milliseconds.
 */
export function oneDnnAgrees(backend: TensorflowBackend): boolean {
  try {
    return (['valid', 'same'] as const).every((pad) =>
      tidy(() => convolutionsAgree(backend, pad) && poolingAgrees(backend, pad)),
    );
  } catch {
    // An operation or attribute that this library does not have.
    return false;
  }
}

/** Odd sides: the last row and column count with padding `same` only. */
const shape = [2, 7, 5, 3];

function convolutionsAgree(backend: TensorflowBackend, pad: string): boolean {
  const attributes = windowOf({ strides: 1, pad }) as WindowAttributes;
  const [x, filter] = [pattern(shape), pattern([3, 3, 3, 4])];
  const output = executeOne(backend, { name: 'Conv2D', attributes, inputs: [x, filter] });
  const dy = pattern(output.shape);
  const sizes = (of: Tensor): Tensor => tensor1d(of.shape, 'int32');
  const operations: Operation[] = [
    { name: 'Conv2D', attributes, inputs: [x, filter] },
    { name: 'Conv2DBackpropFilter', attributes, inputs: [x, sizes(filter), dy] },
    { name: 'Conv2DBackpropInput', attributes, inputs: [sizes(x), filter, dy] },
  ];
  return operations.every((operation) => {
    const [expected, found] = [executeOne(backend, operation), executePrivate(backend, operation)];
    return isClose(expected, found);
  });
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

/** Numbers from -2 to 2, so that most windows hold their maximum twice. */
function pattern(sides: number[]): Tensor {
  const size = sides.reduce((product, side) => product * side, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => ((i * i + 3 * i) % 5) - 2),
    sides,
  );
}

function areEqual(a: Tensor, b: Tensor): boolean {
  return largestDifference(a.dataSync(), b.dataSync()) === 0;
}

function isClose(a: Tensor, b: Tensor): boolean {
  const expected = a.dataSync();
  const largest = largestDifference(
    expected,
    expected.map(() => 0),
  );
  return largestDifference(expected, b.dataSync()) <= 1e-5 * largest;
}

/** NaN where the lengths differ or a value is missing. */
function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const differences = Array.from(a, (value, i) => Math.abs(value - (b[i] ?? Number.NaN)));
  return a.length === b.length ? Math.max(...differences) : Number.NaN;
}
