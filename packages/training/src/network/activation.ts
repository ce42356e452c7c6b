import { addBias, kernelsReady, reluGradient } from '@gradwire/kernels';
import type { Tensor } from '@tensorflow/tfjs-core';
import { add, cast, greater, mul, relu, sum } from '@tensorflow/tfjs-core';
import { isOffered } from './is-offered.ts';

/** The result of {@link activate}. */
export interface Activated {
  readonly output: Tensor;
  /** @param dy - gradient by `output`. Returns the gradients by `z` and by the bias. */
  backward(dy: Tensor): { dz: Tensor; dBias: Tensor };
}

/** Adds the bias to `z` and applies the activation. */
export function activate(z: Tensor, bias: Tensor, activation: 'linear' | 'relu'): Activated {
  const output = kernelsReady()
    ? addBias(z, bias, { relu: activation === 'relu' })
    : applyPlain(add(z, bias), activation);
  return {
    output,
    backward(dy) {
      const dz = activation === 'relu' ? throughRelu(dy, output) : dy;
      return { dz, dBias: sum(dz, allButLast(dz)) };
    },
  };
}

function applyPlain(shifted: Tensor, activation: 'linear' | 'relu'): Tensor {
  return activation === 'relu' ? relu(shifted) : shifted;
}

function throughRelu(dy: Tensor, y: Tensor): Tensor {
  return isOffered('GradwireReluGradient') ? reluGradient(dy, y) : mul(dy, cast(greater(y, 0), 'float32'));
}

function allButLast(x: Tensor): number[] {
  return [...x.shape.keys()].slice(0, -1);
}
