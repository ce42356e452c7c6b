import type { NamedAttrMap, NamedTensorInfoMap, Tensor, TensorInfo } from '@tensorflow/tfjs-core';

/** The part of tfjs-node's backend that runs operations of TensorFlow's library. */
export interface TensorflowBackend {
  readonly binding: Readonly<Record<AttributeType | 'TF_FLOAT', number>> & {
    executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): unknown;
  };
  executeMultipleOutputs(
    name: string,
    attributes: Attribute[],
    inputs: TensorInfo[],
    outputs: number,
  ): Tensor[];
}

type AttributeType = 'TF_ATTR_BOOL' | 'TF_ATTR_INT' | 'TF_ATTR_STRING' | 'TF_ATTR_TYPE';

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What a kernel of tfjs-node's backend is given. */
export interface KernelCall {
  readonly inputs: NamedTensorInfoMap;
  readonly attrs: NamedAttrMap;
  readonly backend: TensorflowBackend;
}

/** A kernel of tfjs-node's backend. Its outputs belong to the caller; everything else it allocates it frees. */
export type NativeKernel<Output = TensorInfo> = (call: KernelCall) => Output;

/** One operation on float32 tensors. */
export interface Operation {
  readonly name: string;
  /** Without `T`, which is float32. */
  readonly attributes?: Readonly<Record<string, boolean | string | readonly number[]>>;
  readonly inputs: readonly TensorInfo[];
  /** How many; 1 by default. */
  readonly outputs?: number;
}

/** Runs an operation of the library. Throws an Error where it does not know the operation. */
export function execute(backend: TensorflowBackend, operation: Operation): Tensor[] {
  const { name, attributes = {}, inputs, outputs = 1 } = operation;
  const { binding } = backend;
  const list = Object.entries(attributes).map(([key, value]) => ({
    name: key,
    type: binding[typeOf(value)],
    value,
  }));
  list.push({ name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT as never });
  return backend.executeMultipleOutputs(name, list, [...inputs], outputs);
}

function typeOf(value: boolean | string | readonly number[]): AttributeType {
  if (typeof value === 'string') return 'TF_ATTR_STRING';
  return typeof value === 'boolean' ? 'TF_ATTR_BOOL' : 'TF_ATTR_INT';
}

/** As {@link execute}, of an operation with one output. */
export function executeOne(backend: TensorflowBackend, operation: Operation): Tensor {
  return execute(backend, operation)[0] as Tensor;
}
