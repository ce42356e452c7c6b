import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import {
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  conv2d,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  depthwiseConv2d,
  engine,
  matMul,
  mul,
  reshape,
} from '#tfjs-core';
import { sumOfProducts } from '@gradwire/kernels';
import type { OperationOf, Pair } from './operation.ts';

/** What a convolution, depthwise convolution or dense layer does before bias and activation. */
export interface LinearMap {
  apply(x: Tensor, kernel: Tensor): Tensor;
  kernelGradient(of: MapGradient): Tensor;
  inputGradient(of: MapGradient): Tensor;
  /** The kernel whose outputs are multiplied by `scale`, channel by channel. */
  scaleKernel(kernel: Tensor, scale: Tensor): Tensor;
}

/** What both gradients of a map are computed from. */
export interface MapGradient {
  readonly x: Tensor;
  readonly kernel: Tensor;
  /** Gradient by the map's output. */
  readonly dz: Tensor;
  /** Samples of each part, see `Batch`. */
  readonly parts?: readonly number[] | undefined;
}

/** The map of a layer. */
export function linearMapOf(operation: OperationOf<'conv2d' | 'depthwiseConv2d' | 'dense'>): LinearMap {
  if (operation.type === 'dense') return denseMap;
  return operation.type === 'conv2d' ? convolutionMap(operation) : depthwiseMap(operation);
}

const denseMap: LinearMap = {
  apply: (x, kernel) => matMul(x as Tensor2D, kernel as Tensor2D),
  kernelGradient: ({ x, dz, parts }) =>
    parts
      ? sumOfProducts(x as Tensor2D, dz as Tensor2D, parts)
      : matMul(x as Tensor2D, dz as Tensor2D, true, false),
  inputGradient: ({ kernel, dz }) => matMul(dz as Tensor2D, kernel as Tensor2D, false, true),
  scaleKernel: mul,
};

type Sliding = OperationOf<'conv2d' | 'depthwiseConv2d'>;

function convolutionMap(layer: Sliding): LinearMap {
  const attributes = slidingAttributes(layer);
  return {
    apply: (x, kernel) => conv2d(x as Tensor4D, kernel as Tensor4D, attributes.strides, layer.padding),
    kernelGradient: ({ x, kernel, dz, parts }) =>
      engine().runKernel(
        Conv2DBackpropFilter,
        { x, dy: dz },
        { ...attributes, filterShape: kernel.shape, ...partsAttribute(parts) },
      ),
    inputGradient: ({ x, kernel, dz }) =>
      engine().runKernel(
        Conv2DBackpropInput,
        { dy: dz, filter: kernel },
        { ...attributes, inputShape: x.shape },
      ),
    scaleKernel: mul,
  };
}

function depthwiseMap(layer: Sliding): LinearMap {
  const attributes = { ...slidingAttributes(layer), dilations: [1, 1] };
  return {
    apply: (x, kernel) =>
      depthwiseConv2d(x as Tensor4D, kernel as Tensor4D, attributes.strides, layer.padding),
    kernelGradient: ({ x, kernel, dz, parts }) =>
      engine().runKernel(
        DepthwiseConv2dNativeBackpropFilter,
        { x, dy: dz },
        { ...attributes, filterShape: kernel.shape, ...partsAttribute(parts) },
      ),
    inputGradient: ({ x, kernel, dz }) =>
      engine().runKernel(
        DepthwiseConv2dNativeBackpropInput,
        { dy: dz, filter: kernel },
        { ...attributes, inputShape: x.shape },
      ),
    // Output channels are input channels times multiplier, which are the kernel's last two axes.
    scaleKernel: (kernel, scale) => mul(kernel, reshape(scale, kernel.shape.slice(-2))),
  };
}

function slidingAttributes({ strides, padding }: { strides: Pair; padding: string }): {
  strides: [number, number];
  pad: string;
  dataFormat: string;
} {
  return { strides: [...strides], pad: padding, dataFormat: 'NHWC' };
}

function partsAttribute(parts: readonly number[] | undefined): { parts?: number[] } {
  return parts ? { parts: [...parts] } : {};
}
