import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { AvgPoolGrad, avgPool, engine, fill, MaxPoolGrad, maxPool, mean, mul, reshape } from '#tfjs-core';
import type { Block } from './block.ts';
import { isOffered } from './is-offered.ts';
import { maxPoolWithWinners } from './native/max-pool-with-winners.ts';
import type { Pooling } from './operation.ts';

/** Values that were pooled, and how a gradient goes back. */
export interface Pooled {
  readonly output: Tensor;
  backward(dy: Tensor): Tensor;
}

/** The largest value of each window; the gradient goes to the first maximum. */
export function poolMaximum(x: Tensor, { window, strides, padding }: Pooling): Pooled {
  const attributes = { filterSize: [...window], strides: [...strides], pad: padding };
  if (isOffered('GradwireMaxPool')) return maxPoolWithWinners(x, attributes);
  const output = maxPool(x as Tensor4D, [...window], [...strides], padding);
  return {
    output,
    backward: (dy) => engine().runKernel(MaxPoolGrad, { dy, input: x, output }, attributes),
  };
}

/** The mean of each window. */
export function createAveragePooling({ window, strides, padding }: Pooling): Block {
  return {
    forward([input]) {
      const x = input as Tensor4D;
      const attributes = { filterSize: [...window], strides: [...strides], pad: padding };
      return {
        output: avgPool(x, [...window], [...strides], padding),
        backward(dy, { inputNeeded }) {
          const dx = inputNeeded ? engine().runKernel(AvgPoolGrad, { dy, input: x }, attributes) : undefined;
          return { inputs: [dx as Tensor | undefined], tensors: [] };
        },
      };
    },
  };
}

/** The mean over height and width: `[samples, height, width, channels]` to `[samples, channels]`. */
export function createGlobalAveragePooling(): Block {
  return {
    forward([input]) {
      const [samples, height, width, channels] = (input as Tensor4D).shape;
      return {
        output: mean(input as Tensor4D, [1, 2]),
        backward(dy) {
          const shares = fill([samples, height, width, channels], 1 / (height * width));
          return { inputs: [mul(shares, reshape(dy, [samples, 1, 1, channels]))], tensors: [] };
        },
      };
    },
  };
}
