import type { CompleteLayer } from '@gradwire/models';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { Conv2DBackpropFilter, Conv2DBackpropInput, conv2d, engine } from '@tensorflow/tfjs-core';
import { activate } from './activation.ts';
import type { Block } from './block.ts';
import { maxPoolForward } from './max-pooling.ts';

type Convolution = Extract<CompleteLayer, { type: 'conv2d' }>;
type MaxPooling = Extract<CompleteLayer, { type: 'maxPooling2d' }>;

/**
 * Convolution, then max-pooling if there is any, then bias and activation. Adding a constant and relu keep the order
 * of numbers, so pooling first gives the same values, and both then work on a fraction of the data.
 */
export function createConvolution(layer: Convolution, pooling?: MaxPooling): Block {
  const { strides, padding, activation } = layer;
  return {
    parameterCount: 2,
    forward(x, [kernel, bias]) {
      const z = conv2d(x as Tensor4D, kernel as Tensor4D, strides, padding);
      const pooled = pooling ? maxPoolForward(z, pooling) : { output: z, backward: (dy: Tensor) => dy };
      const activated = activate(pooled.output, bias as Tensor, activation);
      return {
        output: activated.output,
        backward(dy, { inputNeeded }) {
          const { dz: dPooled, dBias } = activated.backward(dy);
          const inner = { layer, x, kernel: kernel as Tensor, dz: pooled.backward(dPooled) };
          const parameters = [kernelGradient(inner), dBias];
          return inputNeeded ? { input: inputGradient(inner), parameters } : { parameters };
        },
      };
    },
  };
}

interface Inner {
  readonly layer: Convolution;
  readonly x: Tensor;
  readonly kernel: Tensor;
  readonly dz: Tensor;
}

function kernelGradient({ layer, x, kernel, dz }: Inner): Tensor {
  const attributes = { ...windowAttributes(layer), filterShape: kernel.shape };
  return engine().runKernel(Conv2DBackpropFilter, { x, dy: dz }, attributes);
}

function inputGradient({ layer, x, kernel, dz }: Inner): Tensor {
  const attributes = { ...windowAttributes(layer), inputShape: x.shape };
  return engine().runKernel(Conv2DBackpropInput, { dy: dz, filter: kernel }, attributes);
}

function windowAttributes({ strides, padding }: Convolution): {
  strides: number[];
  pad: string;
  dataFormat: string;
} {
  return { strides: [strides, strides], pad: padding, dataFormat: 'NHWC' };
}
