import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelCall, WasmKernel } from './heap.ts';

/**
 * `Identity` without a copy: the data is shared and counted, as the backend's own `Reshape` does it. Every tensor
 * that the gradient tape keeps goes through here (31 copies, up to 11 MB each, in one gradient of the article's network).
 */
export function createIdentity(own: WasmKernel): WasmKernel {
  return (call) => (call.inputs['x']?.dtype === 'string' ? own(call) : share(call));
}

/** `Cast` without a copy where the type stays the same; else the backend's own. */
export function createCast(own: WasmKernel): WasmKernel {
  return (call) => (call.inputs['x']?.dtype === call.attrs['dtype'] ? share(call) : own(call));
}

function share({ inputs, backend }: KernelCall): TensorInfo {
  const { dataId, shape, dtype } = inputs['x'] as TensorInfo;
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}
