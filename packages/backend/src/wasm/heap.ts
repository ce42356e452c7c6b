import { getKernel, util } from '@tensorflow/tfjs-core';
import type { KernelConfig, NamedAttrMap, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/** What a kernel of the wasm backend is given. */
export interface KernelCall {
  inputs: NamedTensorInfoMap;
  attrs: NamedAttrMap;
  backend: BackendWasm;
}

/** A kernel of the wasm backend. Its output belongs to the caller; everything else it allocates it frees. */
export type WasmKernel = (call: KernelCall) => TensorInfo;

/** Allocates a float32 tensor on the wasm heap. Its values are whatever was there before. */
export function allocate(backend: BackendWasm, shape: readonly number[]): TensorInfo {
  return backend.makeOutput([...shape], 'float32');
}

/**
 * A tensor's values in place on the wasm heap. Valid only until the next allocation: the heap may grow, which
 * detaches every view of it.
 */
export function view(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** Frees tensors. */
export function free(backend: BackendWasm, ...tensors: TensorInfo[]): void {
  for (const tensor of tensors) backend.disposeData(tensor.dataId);
}

/** The same values under another shape; shares the data, so it must not be freed by itself. */
export function reshaped(tensor: TensorInfo, shape: readonly number[]): TensorInfo {
  if (util.sizeFromShape([...shape]) !== util.sizeFromShape(tensor.shape)) {
    throw new RangeError(
      `shape: expected the size of [${tensor.shape.join(', ')}], found [${shape.join(', ')}]`,
    );
  }
  return { dataId: tensor.dataId, dtype: tensor.dtype, shape: [...shape] };
}

/** The backend's own kernel of that name, as registered at the moment of the call. */
export function ownKernel(name: string): { config: KernelConfig; run: WasmKernel } {
  const config = getKernel(name, 'wasm');
  const run: WasmKernel = (call) => config.kernelFunc({ ...call }) as TensorInfo;
  return { config, run };
}

/** The input of that name, which must be float32. */
export function floatInput(inputs: NamedTensorInfoMap, name: string): TensorInfo {
  const tensor = inputs[name];
  if (tensor?.dtype !== 'float32') throw new TypeError(`${name}: expected float32, found ${tensor?.dtype}`);
  return tensor;
}
