import { backend } from '#tfjs-core';
import { registerAttributeNames } from './attribute-names.ts';
import type { TensorflowBackend } from './execute.ts';
import { oneDnnAgrees } from './probe-one-dnn.ts';
import type { OperationSet } from './register-operations.ts';
import { registerOperations } from './register-operations.ts';

/**
 * Registers the fastest kernels that work here with tfjs-node's backend, which must be the current one. The private
 * operations are probed once a process; `GRADWIRE_NATIVE_OPERATIONS=public` is the way out where one misbehaves.
 */
export function prepareOperations(): OperationSet {
  const tensorflow = backend() as unknown as TensorflowBackend;
  registerAttributeNames(tensorflow);
  const isPublic = process.env['GRADWIRE_NATIVE_OPERATIONS'] === 'public';
  const set = isPublic ? 'public' : (probed ??= oneDnnAgrees(tensorflow) ? 'one-dnn' : 'public');
  registerOperations(set);
  return set;
}

let probed: OperationSet | undefined;
