import { convolvePool, convolvePoolGradients, kernelsReady } from '@gradwire/kernels';
import type { CompleteLayer } from '@gradwire/models';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { Conv2DBackpropFilter, Conv2DBackpropInput, conv2d, engine } from '@tensorflow/tfjs-core';
import { activate } from './activation.ts';
import type { Block, ForwardPass } from './block.ts';
import { maxPoolForward } from './max-pooling.ts';

type Convolution = Extract<CompleteLayer, { type: 'conv2d' }>;
type MaxPooling = Extract<CompleteLayer, { type: 'maxPooling2d' }>;

/**
 * Convolution, then max-pooling if there is any, then bias and activation. Adding a constant and relu keep the order
 * of numbers, so pooling first gives the same values, and both then work on a fraction of the data.
 */
export function createConvolution(layer: Convolution, pooling?: MaxPooling): Block {
  return {
    parameterCount: 2,
    forward(x, [kernel, bias]) {
      const inputs = { x: x as Tensor4D, filter: kernel as Tensor4D, bias: bias as Tensor1D };
      const fused = pooling?.poolSize === 2 && pooling.strides === 2 && kernelsReady();
      return fused ? forwardFused(inputs, layer, pooling) : forwardPlain(inputs, layer, pooling);
    },
  };
}

interface Inputs {
  readonly x: Tensor4D;
  readonly filter: Tensor4D;
  readonly bias: Tensor1D;
}

/** All in one kernel, which never stores what pooling drops. */
function forwardFused(inputs: Inputs, layer: Convolution, pooling: MaxPooling): ForwardPass {
  const { strides, padding: pad, activation } = layer;
  const options = { strides, pad, poolPad: pooling.padding, relu: activation === 'relu' };
  const { output, index } = convolvePool(inputs, options);
  return {
    output,
    backward(dy, { inputNeeded }) {
      const { x, filter } = inputs;
      const gradients = { x, filter, index, dy: dy as Tensor4D };
      const { dFilter, dBias, dx } = convolvePoolGradients(gradients, { ...options, inputNeeded });
      return { parameters: [dFilter, dBias], ...(dx && { input: dx }) };
    },
  };
}

function forwardPlain({ x, filter, bias }: Inputs, layer: Convolution, pooling?: MaxPooling): ForwardPass {
  const { strides, padding, activation } = layer;
  const z = conv2d(x, filter, strides, padding);
  const pooled = pooling ? maxPoolForward(z, pooling) : { output: z, backward: (dy: Tensor) => dy };
  const activated = activate(pooled.output, bias, activation);
  return {
    output: activated.output,
    backward(dy, { inputNeeded }) {
      const { dz: dPooled, dBias } = activated.backward(dy);
      const inner = { layer, x, kernel: filter, dz: pooled.backward(dPooled) };
      const parameters = [kernelGradient(inner), dBias];
      return inputNeeded ? { input: inputGradient(inner), parameters } : { parameters };
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
