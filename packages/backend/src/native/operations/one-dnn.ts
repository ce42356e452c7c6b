import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import type { Operation, TensorflowBackend } from './execute.ts';
import { execute, executeOne } from './execute.ts';
import type { WindowAttributes } from './window.ts';

/**
 * TensorFlow's private operations on oneDNN (x86 only). Its graph rewriting puts them in the place of the public ones of
 * the same meaning; this attribute, which rewriting sets as well, makes them callable one by one.
 */
const rewritten = { _kernel: 'MklNameChangeOp' };

/** Runs the private operation for a public one, with its inputs and attributes. */
export function executePrivate(backend: TensorflowBackend, operation: Operation): Tensor {
  const prefix = operation.name === 'MatMul' ? '_Mkl' : '_MklNative';
  const attributes = { ...operation.attributes, ...rewritten };
  return executeOne(backend, { ...operation, name: prefix + operation.name, attributes });
}

/** The largest values of each window, and in a format of oneDNN's own which positions held them. */
export function maxPool(
  backend: TensorflowBackend,
  x: TensorInfo,
  window: WindowAttributes,
): [output: Tensor, winners: Tensor] {
  const attributes = { ...window, workspace_enabled: true, ...rewritten };
  const operation = { name: '_MklNativeMaxPool', attributes, inputs: [x], outputs: 2 };
  return execute(backend, operation) as [Tensor, Tensor];
}

/** What {@link maxPool} read and returned, with the gradient by its output. */
export interface PooledGradient {
  readonly x: TensorInfo;
  readonly output: TensorInfo;
  readonly winners: TensorInfo;
  readonly dy: TensorInfo;
}

/** The gradient by the input of {@link maxPool}; of equal values the first one gets it. */
export function maxPoolGradient(
  backend: TensorflowBackend,
  { x, output, winners, dy }: PooledGradient,
  window: WindowAttributes,
): Tensor {
  const attributes = { ...window, workspace_enabled: true };
  return executePrivate(backend, { name: 'MaxPoolGrad', attributes, inputs: [x, output, dy, winners] });
}
