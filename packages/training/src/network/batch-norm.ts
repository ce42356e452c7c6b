import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, div, mul, relu, sqrt, square, sub, sum } from '@tensorflow/tfjs-core';
import { throughRelu } from './activation.ts';

/** See {@link batchNorm}. */
export interface BatchNormOptions {
  /** Added to the variance. */
  readonly epsilon: number;
  /** Apply relu to the result? */
  readonly relu: boolean;
}

/**
 * Normalises each channel (the last axis) by its own mean and variance over this batch, then scales and shifts it (Ioffe
 * & Szegedy 2015, algorithm 1). The variance divides by the number of values, not one less.
 */
export function batchNorm(
  { x, scale, offset }: { readonly x: Tensor; readonly scale: Tensor1D; readonly offset: Tensor1D },
  { epsilon, relu: cuts }: BatchNormOptions,
): { output: Tensor; mean: Tensor1D; variance: Tensor1D } {
  const { axes, size } = channelsOf(x);
  const mean = div<Tensor1D>(sum(x, axes), size);
  const centred = sub(x, mean);
  const variance = div<Tensor1D>(sum(square(centred), axes), size);
  const shifted = add(mul(centred, div(scale, sqrt(add(variance, epsilon)))), offset);
  return { output: cuts ? relu(shifted) : shifted, mean, variance };
}

/**
 * The gradients of {@link batchNorm}, with x' the normalised values:
 * `dx = scale / deviation * (dy - mean(dy) - x' mean(dy x'))`, `dScale = sum(dy x')`, `dOffset = sum(dy)`.
 */
export function batchNormGradients(
  inputs: {
    readonly x: Tensor;
    readonly output: Tensor;
    readonly dy: Tensor;
    readonly scale: Tensor1D;
    readonly mean: Tensor1D;
    readonly variance: Tensor1D;
  },
  { epsilon, relu: cuts }: BatchNormOptions,
): { dx: Tensor; dScale: Tensor1D; dOffset: Tensor1D } {
  const { x, output, scale, mean, variance } = inputs;
  const { axes, size } = channelsOf(x);
  const dy = cuts ? throughRelu(inputs.dy, output) : inputs.dy;
  const deviation = sqrt(add(variance, epsilon));
  const centred = sub(x, mean);
  const dOffset = sum<Tensor1D>(dy, axes);
  const dScale = div<Tensor1D>(sum(mul(dy, centred), axes), deviation);
  const straight = sub(dy, div(dOffset, size));
  const bent = mul(centred, div(div(dScale, deviation), size));
  return { dx: mul(div(scale, deviation), sub(straight, bent)), dScale, dOffset };
}

function channelsOf(x: Tensor): { axes: number[]; size: number } {
  return { axes: [...x.shape.keys()].slice(0, -1), size: x.size / (x.shape.at(-1) as number) };
}
