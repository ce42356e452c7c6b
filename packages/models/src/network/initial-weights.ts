import { uniform } from '@gradwire/random';
import type { ModelSpec } from '../specs.ts';
import { parameterLayout } from './parameter-layout.ts';
import { resolveLayers } from './resolve-layers.ts';

/**
 * The flat weight vector a run starts from: kernels uniform in +-sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010,
 * eq. 16), biases zero; batch normalisation with scale and variance 1, shift and mean 0. A function of network and seed
 * alone, with equal bits everywhere.
 *
 * @param seed - 32-bit unsigned; each kernel draws from its own Philox sequence `(seed, weights, index)`.
 */
export function initialWeights(spec: ModelSpec, seed: number): Float32Array {
  const { parameters, size } = parameterLayout(spec);
  const initial = resolveLayers(spec).flatMap((layer) =>
    layer.parameters.map((parameter) => parameter.initial),
  );
  const weights = new Float32Array(size);
  for (const [index, { shape, offset, size: length }] of parameters.entries()) {
    if (initial[index] === 'ones') weights.fill(1, offset, offset + length);
    if (initial[index] !== 'glorot') continue;
    const limit = glorotLimit(shape);
    const range = { low: -limit, high: limit };
    weights.set(uniform({ seed, stream: 'weights', a: index }, length, range), offset);
  }
  return weights;
}

/** Fans count the positions of a convolution's window as well: all axes but the last two. */
function glorotLimit(kernelShape: readonly number[]): number {
  const [outputs, inputs, ...window] = kernelShape.toReversed() as [number, number, ...number[]];
  const positions = window.reduce((product, side) => product * side, 1);
  return Math.sqrt(6 / (positions * (inputs + outputs)));
}
