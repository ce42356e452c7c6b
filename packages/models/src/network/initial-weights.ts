import { uniform } from '@gradwire/random';
import type { ModelSpec } from '../specs.ts';
import { parameterLayout } from './parameter-layout.ts';

/**
 * The flat weight vector a run starts from: kernels uniform in +-sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010,
 * eq. 16), biases zero. A function of network and seed alone, with equal bits everywhere.
 *
 * @param seed - 32-bit unsigned; each parameter draws from its own Philox sequence `(seed, weights, index)`.
 */
export function initialWeights(spec: ModelSpec, seed: number): Float32Array {
  const { parameters, size } = parameterLayout(spec);
  const weights = new Float32Array(size);
  for (const [index, parameter] of parameters.entries()) {
    if (parameter.role === 'bias') continue;
    const limit = glorotLimit(parameter.shape);
    const range = { low: -limit, high: limit };
    weights.set(uniform({ seed, stream: 'weights', a: index }, parameter.size, range), parameter.offset);
  }
  return weights;
}

/** Fans count the positions of a convolution's window as well: all axes but the last two. */
function glorotLimit(kernelShape: readonly number[]): number {
  const [outputs, inputs, ...window] = kernelShape.toReversed() as [number, number, ...number[]];
  const positions = window.reduce((product, side) => product * side, 1);
  return Math.sqrt(6 / (positions * (inputs + outputs)));
}
