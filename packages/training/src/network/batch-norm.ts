import {
  batchNorm as batchNormKernel,
  batchNormGradients as batchNormGradientsKernel,
} from '@gradwire/kernels';
import type { BatchNormOptions } from '@gradwire/kernels';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, div, mul, relu, sqrt, square, sub, sum } from '#tfjs-core';
import { throughRelu } from './activation.ts';
import { isOffered } from './is-offered.ts';

type Inputs = Parameters<typeof batchNormKernel>[0];
type Normalised = ReturnType<typeof batchNormKernel>;
type GradientInputs = Parameters<typeof batchNormGradientsKernel>[0];
type Gradients = ReturnType<typeof batchNormGradientsKernel>;

/**
 * Normalises each channel (the last axis) by its own mean and variance over this batch, then scales and shifts it (Ioffe
 * & Szegedy 2015, algorithm 1). The variance divides by the number of values, not one less.
 */
export function batchNorm(inputs: Inputs, options: BatchNormOptions): Normalised {
  return isOffered('GradwireBatchNorm') ? batchNormKernel(inputs, options) : normalise(inputs, options);
}

/** The gradients of {@link batchNorm}. */
export function batchNormGradients(inputs: GradientInputs, options: BatchNormOptions): Gradients {
  if (isOffered('GradwireBatchNormGradients')) return batchNormGradientsKernel(inputs, options);
  return normaliseGradients(inputs, options);
}

function normalise({ x, scale, offset }: Inputs, { epsilon, relu: cuts }: BatchNormOptions): Normalised {
  const size = valuesPerChannel(x);
  const mean = div<Tensor1D>(channelSums(x), size);
  const centred = sub(x, mean);
  const variance = div<Tensor1D>(channelSums(square(centred)), size);
  const shifted = add(mul(centred, div(scale, sqrt(add(variance, epsilon)))), offset);
  return { output: cuts ? relu(shifted) : shifted, mean, variance };
}

/**
 * With x' the normalised values: `dx = scale / deviation * (dy - mean(dy) - x' mean(dy x'))`, `dScale = sum(dy x')`,
 * `dOffset = sum(dy)`.
 */
function normaliseGradients(inputs: GradientInputs, { epsilon, relu: cuts }: BatchNormOptions): Gradients {
  const { x, output, scale, mean, variance } = inputs;
  const size = valuesPerChannel(x);
  const dy = cuts ? throughRelu(inputs.dy, output) : inputs.dy;
  const deviation = sqrt(add(variance, epsilon));
  const centred = sub(x, mean);
  const dOffset = channelSums(dy);
  const dScale = div<Tensor1D>(channelSums(mul(dy, centred)), deviation);
  const straight = sub(dy, div(dOffset, size));
  const bent = mul(centred, div(div(dScale, deviation), size));
  return { dx: mul(div(scale, deviation), sub(straight, bent)), dScale, dOffset };
}

/** One axis after the other: a sum over all rows at once loses four digits where a picture is large. */
function channelSums(x: Tensor): Tensor1D {
  const axes = [...x.shape.keys()].slice(0, -1).toReversed();
  return axes.reduce((sums, axis) => sum(sums, axis), x) as Tensor1D;
}

function valuesPerChannel({ size, shape }: Tensor): number {
  return size / (shape.at(-1) as number);
}
