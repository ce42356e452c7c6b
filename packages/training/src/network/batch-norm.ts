import type { Tensor } from '@tensorflow/tfjs-core';
import { add, div, mul, sqrt, square, sub, sum } from '@tensorflow/tfjs-core';

/** The result of {@link normalise}. */
export interface Normalised {
  /** `gamma * (x - mean) / sqrt(variance + epsilon)`; the shift is the caller's. */
  readonly output: Tensor;
  /** Of each channel, over all other axes of the micro-batch; the variance divides by their size. */
  readonly mean: Tensor;
  readonly variance: Tensor;
  backward(
    dy: Tensor,
    options: { readonly inputNeeded: boolean },
  ): { readonly dx?: Tensor; readonly dGamma: Tensor };
}

/**
 * Normalises each channel (the last axis) by its own mean and variance (Ioffe & Szegedy 2015, algorithm 1). Sums run in
 * the order of the backend's `sum`, the variance over centred values.
 */
export function normalise(x: Tensor, gamma: Tensor | undefined, epsilon: number): Normalised {
  const axes = [...x.shape.keys()].slice(0, -1);
  const size = x.size / (x.shape.at(-1) as number);
  const mean = div(sum(x, axes), size);
  const centred = sub(x, mean);
  const variance = div(sum(square(centred), axes), size);
  const deviation = sqrt(add(variance, epsilon));
  const scale = gamma ? div(gamma, deviation) : div(1, deviation);
  return {
    output: mul(centred, scale),
    mean,
    variance,
    // dx = scale * (dy - mean(dy) - x' * mean(dy * x')), where x' is normalised and dGamma = sum(dy * x').
    backward(dy, { inputNeeded }) {
      const dGamma = div(sum(mul(dy, centred), axes), deviation);
      if (!inputNeeded) return { dGamma };
      const slope = div(div(dGamma, deviation), size);
      const straight = sub(dy, div(sum(dy, axes), size));
      return { dx: mul(scale, sub(straight, mul(centred, slope))), dGamma };
    },
  };
}
