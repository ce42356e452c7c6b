import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { getBackend, matMul, ones, reshape, transpose } from '@tensorflow/tfjs-core';

// tfjs's wasm backend multiplies transposed matrices ten times slower than it transposes and multiplies them.

/** `a^T b`, for a dense layer's kernel. */
export function transposedTimes(a: Tensor2D, b: Tensor2D): Tensor2D {
  return getBackend() === 'wasm' ? matMul(transpose(a), b) : matMul(a, b, true, false);
}

/** `a b^T`, for a dense layer's input; `b`, the kernel, is the large one and is not transposed. */
export function timesTransposed(a: Tensor2D, b: Tensor2D): Tensor2D {
  return getBackend() === 'wasm' ? transpose(matMul(b, transpose(a))) : matMul(a, b, false, true);
}

/** Sums over all axes but the last. A product with a row of ones: the wasm backend's sum transposes everything first. */
export function sumRows(x: Tensor): Tensor {
  const channels = x.shape.at(-1) as number;
  const rows = reshape(x, [-1, channels]) as Tensor2D;
  return reshape(matMul(ones([1, rows.shape[0]]) as Tensor2D, rows), [channels]);
}
