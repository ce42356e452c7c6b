import type { TensorInfo } from '@tensorflow/tfjs-core';
import { util } from '#tfjs-core';
import type { NativeKernel } from './execute.ts';
import { executeOne } from './execute.ts';

/** `GradwireReluGradient`: by relu's input, from the gradient by its output and the output itself. */
export const reluGradient: NativeKernel = ({ inputs, backend }) => {
  const { dy, y } = inputs as { dy: TensorInfo; y: TensorInfo };
  return executeOne(backend, { name: 'ReluGrad', inputs: [dy, y] });
};

/** `Sum` over all axes but the last, which is a bias gradient, by the operation made for it. */
export function createSum(own: NativeKernel): NativeKernel {
  return (call) => {
    const x = call.inputs['x'] as TensorInfo;
    const { axis, keepDims } = call.attrs as { axis: number[]; keepDims: boolean };
    const axes = util.parseAxisParam(axis, x.shape);
    const last = x.shape.length - 1;
    const isBiasGradient = last > 0 && axes.length === last && !axes.includes(last);
    if (!isBiasGradient || keepDims || x.dtype !== 'float32') return own(call);
    const attributes = { data_format: 'NHWC' };
    return executeOne(call.backend, { name: 'BiasAddGrad', attributes, inputs: [x] });
  };
}
