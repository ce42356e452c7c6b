import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { NativeKernel } from './execute.ts';
import { maxPool, maxPoolGradient } from './one-dnn.ts';
import type { WindowAttributes } from './window.ts';
import { windowOf } from './window.ts';

/** `GradwireMaxPool`: attributes as `MaxPool`; gives the output and what the gradient needs to know. */
export const gradwireMaxPool: NativeKernel<TensorInfo[]> = ({ inputs, attrs, backend }) =>
  maxPool(backend, inputs['x'] as TensorInfo, windowOf(attrs) as WindowAttributes);

/** `GradwireMaxPoolGradient`: by the input, from the gradient by the output and both outputs of `GradwireMaxPool`. */
export const gradwireMaxPoolGradient: NativeKernel = ({ inputs, attrs, backend }) => {
  const { x, output, winners, dy } = inputs as Record<'x' | 'output' | 'winners' | 'dy', TensorInfo>;
  return maxPoolGradient(backend, { x, output, winners, dy }, windowOf(attrs) as WindowAttributes);
};
