import { util } from '#tfjs-core';
import type { NamedAttrMap, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/** What a kernel of the wasm backend is given. */
export interface KernelCall {
  inputs: NamedTensorInfoMap;
  attrs: NamedAttrMap;
  backend: BackendWasm;
}

/** A kernel of the wasm backend. Its outputs belong to the caller; everything else it allocates it frees. */
export type WasmKernel<Output = TensorInfo> = (call: KernelCall) => Output;

/** Allocates a tensor on the wasm heap, float32 by default. Its values are whatever was there before. */
export function allocate(
  backend: BackendWasm,
  shape: readonly number[],
  dtype: 'float32' | 'bool' = 'float32',
): TensorInfo {
  return backend.makeOutput([...shape], dtype);
}

/** Where a tensor's values lie on the wasm heap, in bytes; stays the same as long as the tensor lives. */
export function addressOf(backend: BackendWasm, tensor: TensorInfo | undefined): number {
  return tensor === undefined ? 0 : backend.dataIdMap.get(tensor.dataId).memoryOffset;
}

/** Bytes from the first sample to another one, along the first axis. */
export function bytesBefore({ shape, dtype }: TensorInfo, sample: number): number {
  return sample * util.sizeFromShape(shape.slice(1)) * (dtype === 'bool' ? 1 : 4);
}

/** The input of that name, which must be float32. */
export function floatInput(inputs: NamedTensorInfoMap, name: string): TensorInfo {
  const tensor = inputs[name];
  if (tensor?.dtype !== 'float32') throw new TypeError(`${name}: expected float32, found ${tensor?.dtype}`);
  return tensor;
}

/** Kernels trust the shapes they are told: a wrong one must not reach the heap. */
export function expectShape(name: string, tensor: TensorInfo, shape: readonly number[]): void {
  if (util.arraysEqual(tensor.shape, shape as number[])) return;
  throw new RangeError(`${name}: expected shape [${shape.join(', ')}], found [${tensor.shape.join(', ')}]`);
}
