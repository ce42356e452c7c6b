import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { convolutionInfo } from './convolution.ts';
import { allocate, floatInput, free, view } from './heap.ts';
import type { WasmKernel } from './heap.ts';

/**
 * `Conv2DBackpropInput` as a convolution of dy with the filter turned by 180 degrees, channels exchanged, where the
 * stride is 1 (22 ms against 310 of the backend's own kernel, which serves all other strides).
 */
export function createConv2dInputGradient(own: WasmKernel, convolve: WasmKernel): WasmKernel {
  return (call) => {
    const { inputs, attrs, backend } = call;
    const [dy, filter] = [floatInput(inputs, 'dy'), floatInput(inputs, 'filter')];
    const info = convolutionInfo(attrs['inputShape'] as number[], filter.shape, attrs);
    const { top, bottom, left, right } = info.padInfo;
    const [height, width] = [info.filterHeight - 1, info.filterWidth - 1];
    const isCropped = top > height || bottom > height || left > width || right > width;
    if (info.strideHeight !== 1 || info.strideWidth !== 1 || isCropped) return own(call);
    const turned = turnFilter(backend, filter);
    const pad = [
      [0, 0],
      [height - top, height - bottom],
      [width - left, width - right],
      [0, 0],
    ];
    const convolution = { strides: 1, dilations: 1, pad, dataFormat: 'NHWC' };
    const out = convolve({ inputs: { x: dy, filter: turned }, attrs: convolution, backend });
    free(backend, turned);
    return out;
  };
}

/** `[height x width x in x out]` to `[height x width x out x in]`, rows and columns in reverse order. */
function turnFilter(backend: BackendWasm, filter: TensorInfo): TensorInfo {
  const [height, width, inputs, outputs] = filter.shape as [number, number, number, number];
  const out = allocate(backend, [height, width, outputs, inputs]);
  const [source, target] = [view(backend, filter), view(backend, out)];
  const pixels = height * width;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = pixel * inputs * outputs;
    const to = (pixels - 1 - pixel) * inputs * outputs;
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++)
        target[to + o * inputs + i] = source[from + i * outputs + o] as number;
    }
  }
  return out;
}
