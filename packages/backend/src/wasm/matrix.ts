import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { ownKernel, reshaped } from './heap.ts';
import type { WasmKernel } from './heap.ts';

/** Matrix operations made of the backend's own kernels; each result belongs to the caller. */
export interface MatrixKernels {
  /** `[rows x columns]` to `[columns x rows]`. */
  transpose(backend: BackendWasm, matrix: TensorInfo): TensorInfo;
  /**
   * `[m x k]` times `[k x n]`. The backend packs `b` once and keeps the packed form as long as the tensor lives, so
   * a tensor passed as `b` must never be written again.
   */
  multiply(backend: BackendWasm, a: TensorInfo, b: TensorInfo): TensorInfo;
}

/** Takes the backend's kernels as they are registered now, so call it before any of them is replaced. */
export function matrixKernels(): MatrixKernels {
  const transposeKernel = ownKernel('Transpose').run;
  const multiplyKernel: WasmKernel = ownKernel('BatchMatMul').run;
  return {
    transpose: (backend, x) => transposeKernel({ inputs: { x }, attrs: { perm: [1, 0] }, backend }),
    multiply(backend, a, b) {
      const inputs = { a: reshaped(a, [1, ...a.shape]), b: reshaped(b, [1, ...b.shape]) };
      const product = multiplyKernel({ inputs, attrs: { transposeA: false, transposeB: false }, backend });
      return { ...product, shape: product.shape.slice(1) };
    },
  };
}
