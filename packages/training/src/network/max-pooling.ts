import type { CompleteLayer } from '@gradwire/models';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { engine, MaxPoolGrad, maxPool } from '@tensorflow/tfjs-core';
import type { Block } from './block.ts';
import { isOffered } from './is-offered.ts';
import { maxPoolWithWinners } from './native/max-pool-with-winners.ts';

type MaxPooling = Extract<CompleteLayer, { type: 'maxPooling2d' }>;

/** The largest value of each window; the gradient goes to the first maximum. */
export function maxPoolForward(
  x: Tensor,
  layer: MaxPooling,
): { output: Tensor; backward(dy: Tensor): Tensor } {
  const { poolSize, strides, padding } = layer;
  const attributes = { filterSize: [poolSize, poolSize], strides: [strides, strides], pad: padding };
  if (isOffered('GradwireMaxPool')) return maxPoolWithWinners(x, attributes);
  const output = maxPool(x as Tensor4D, poolSize, strides, padding);
  return {
    output,
    backward: (dy) => engine().runKernel(MaxPoolGrad, { dy, input: x, output }, attributes),
  };
}

/** Max-pooling that does not follow a convolution. */
export function createMaxPooling(layer: MaxPooling): Block {
  return {
    parameterCount: 0,
    forward(x) {
      const pooled = maxPoolForward(x, layer);
      return { output: pooled.output, backward: (dy) => ({ input: pooled.backward(dy), parameters: [] }) };
    },
  };
}
