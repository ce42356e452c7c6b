import { addBias, kernelsReady, reluGradient, sumRows } from '@gradwire/kernels';
import type { Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  cast,
  elu,
  greater,
  less,
  logicalAnd,
  minimum,
  mul,
  relu,
  relu6,
  sigmoid,
  square,
  sub,
  sum,
  tanh,
} from '#tfjs-core';
import { isOffered } from './is-offered.ts';
import type { Activation } from './operation.ts';

/** The result of {@link activate}. */
export interface Activated {
  readonly output: Tensor;
  /** @param dy - gradient by `output`. Returns the gradients by `z` and by the bias. */
  backward(dy: Tensor): { readonly dz: Tensor; readonly dBias?: Tensor };
}

/** What is done to `z`. */
interface Activating {
  readonly bias?: Tensor | undefined;
  readonly activation: Activation;
  /** Samples of each part, see `Batch`. */
  readonly parts?: readonly number[] | undefined;
}

/** Adds the bias, if there is one, to `z` and applies the activation. */
export function activate(z: Tensor, { bias, activation, parts }: Activating): Activated {
  const output = biasAndActivation(z, bias, activation);
  return {
    output,
    backward(dy) {
      const dz = derivatives[activation](dy, output);
      if (!bias) return { dz };
      return { dz, dBias: parts ? sumRows(dz, parts) : sum(dz, allButLast(dz)) };
    },
  };
}

function biasAndActivation(z: Tensor, bias: Tensor | undefined, activation: Activation): Tensor {
  const joins = activation === 'linear' || activation === 'relu';
  if (bias && joins && kernelsReady()) return addBias(z, bias, { relu: activation === 'relu' });
  return functions[activation](bias ? add(z, bias) : z);
}

const functions: Record<Activation, (z: Tensor) => Tensor> = {
  linear: (z) => z,
  relu,
  relu6,
  sigmoid,
  tanh,
  elu,
};

/** Gradients by the activation's input, from the one by its output and the output itself. */
const derivatives: Record<Activation, (dy: Tensor, y: Tensor) => Tensor> = {
  linear: (dy) => dy,
  relu: throughRelu,
  relu6: (dy, y) => mul(dy, cast(logicalAnd(greater(y, 0), less(y, 6)), 'float32')),
  sigmoid: (dy, y) => mul(dy, mul(y, sub(1, y))),
  tanh: (dy, y) => mul(dy, sub(1, square(y))),
  elu: (dy, y) => mul(dy, add(minimum(y, 0), 1)),
};

/** The gradient by relu's input. */
export function throughRelu(dy: Tensor, y: Tensor): Tensor {
  return isOffered('GradwireReluGradient') ? reluGradient(dy, y) : mul(dy, cast(greater(y, 0), 'float32'));
}

function allButLast(x: Tensor): number[] {
  return [...x.shape.keys()].slice(0, -1);
}
