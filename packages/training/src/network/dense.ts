import type { CompleteLayer } from '@gradwire/models';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { matMul, reshape } from '@tensorflow/tfjs-core';
import { activate } from './activation.ts';
import type { Block } from './block.ts';

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
          const parameters = [matMul(x, dz as Tensor2D, true, false), dBias];
          if (!inputNeeded) return { parameters };
          return { input: matMul(dz as Tensor2D, weights, false, true), parameters };
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
        output: reshape(x, [x.shape[0], -1]),
        backward: (dy) => ({ input: reshape(dy, x.shape), parameters: [] }),
      };
    },
  };
}
