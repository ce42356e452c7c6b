import type { CompleteLayer } from '@gradwire/models';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { matMul, reshape } from '@tensorflow/tfjs-core';
import { activate } from './activation.ts';
import type { Block } from './block.ts';
import { timesTransposed, transposedTimes } from './products.ts';

/** `activation(x W + b)`. */
export function createDense({ activation }: Extract<CompleteLayer, { type: 'dense' }>): Block {
  return {
    parameterCount: 2,
    forward(input, [kernel, bias]) {
      const [x, weights] = [input as Tensor2D, kernel as Tensor2D];
      const activated = activate(matMul(x, weights), bias as Tensor, activation);
      return {
        output: activated.output,
        backward(dy, { inputNeeded }) {
          const { dz, dBias } = activated.backward(dy);
          const parameters = [transposedTimes(x, dz as Tensor2D), dBias];
          if (!inputNeeded) return { parameters };
          return { input: timesTransposed(dz as Tensor2D, weights), parameters };
        },
      };
    },
  };
}

/** Each sample as one row. */
export function createFlatten(): Block {
  return {
    parameterCount: 0,
    forward(x) {
      return {
        output: reshape(x, [x.shape[0] as number, -1]),
        backward: (dy) => ({ input: reshape(dy, x.shape), parameters: [] }),
      };
    },
  };
}
