import { convolvePool, convolvePoolGradients, kernelsReady } from '@gradwire/kernels';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { add, div, mul, ones, sqrt, sub, zeros, zerosLike } from '#tfjs-core';
import { activate } from './activation.ts';
import { batchNorm, batchNormGradients } from './batch-norm.ts';
import type { Block, ForwardPass } from './block.ts';
import type { Unit } from './fuse.ts';
import { fitsOneKernel } from './fuse.ts';
import type { BatchNormalization } from './operation.ts';
import type { LinearMap } from './linear-map.ts';
import { linearMapOf } from './linear-map.ts';
import type { Pooled } from './pooling.ts';
import { poolMaximum } from './pooling.ts';

/** A unit's tensors, or the gradients by them, by what they are. */
type Tensors = {
  readonly [Slot in 'kernel' | 'bias' | 'gamma' | 'beta' | 'mean' | 'variance']?: Tensor | undefined;
};

interface Pass {
  readonly output: Tensor;
  backward(
    dy: Tensor,
    options: { readonly inputNeeded: boolean },
  ): { input?: Tensor | undefined; tensors: Tensors };
}

/**
 * Linear map, batch normalisation, max-pooling, bias and activation. Adding a constant and cutting keep the order of
 * numbers, so pooling before them gives the same values, and both then work on a fraction of the data.
 */
export function createUnit(unit: Unit): Block {
  const map = unit.map && linearMapOf(unit.map);
  const slots = slotsOf(unit);
  return {
    forward([x], list, mode) {
      const tensors: Tensors = Object.fromEntries(slots.map((slot, i) => [slot, list[i]]));
      const parts = mode.training ? mode.parts : undefined;
      const of = { unit, map, x: x as Tensor, tensors, parts };
      const { output, backward } = forward(of, unit.norm, mode.training);
      return {
        output,
        backward(dy, options) {
          const gradients = backward(dy, options);
          return { inputs: [gradients.input], tensors: slots.map((slot) => gradients.tensors[slot]) };
        },
      } satisfies ForwardPass;
    },
  };
}

function forward(of: Of, norm: BatchNormalization | undefined, training: boolean): Pass {
  if (!norm) return forwardPlain(of);
  return training && !norm.frozen ? forwardNormalised(of, norm) : forwardFolded(of, norm);
}

function slotsOf({ map, norm }: Unit): (keyof Tensors)[] {
  return [
    ...(map ? (['kernel'] as const) : []),
    ...(map?.useBias ? (['bias'] as const) : []),
    ...(norm?.scale ? (['gamma'] as const) : []),
    ...(norm?.center ? (['beta'] as const) : []),
    ...(norm ? (['mean', 'variance'] as const) : []),
  ];
}

interface Of {
  readonly unit: Unit;
  readonly map: LinearMap | undefined;
  readonly x: Tensor;
  readonly tensors: Tensors;
  /** None with batch normalisation. */
  readonly parts?: readonly number[] | undefined;
}

/** Without batch normalisation. */
function forwardPlain(of: Of): Pass {
  const { unit, map, x, tensors } = of;
  if (isOneKernel(unit)) return forwardOneKernel(of);
  const z = map ? map.apply(x, tensors.kernel as Tensor) : x;
  const pooled = pool(z, unit);
  const { bias: offset } = tensors;
  const activated = activate(pooled.output, { bias: offset, activation: unit.activation, parts: of.parts });
  return {
    output: activated.output,
    backward(dy, { inputNeeded }) {
      const { dz, dBias: bias } = activated.backward(dy);
      const through = backThroughMap(of, pooled.backward(dz), inputNeeded);
      return { input: through.input, tensors: { kernel: through.kernel, bias } };
    },
  };
}

/** By the micro-batch's own mean and variance. A bias before it only moves the mean. */
function forwardNormalised(of: Of, { epsilon, uses }: BatchNormalization): Pass {
  const { unit, map, x, tensors } = of;
  const z = map ? map.apply(x, tensors.kernel as Tensor) : x;
  const channels = z.shape.at(-1) as number;
  const scale = (tensors.gamma ?? ones([channels])) as Tensor1D;
  const offset = (tensors.beta ?? zeros([channels])) as Tensor1D;
  const options = { epsilon, relu: unit.activation === 'relu' };
  const normalised = batchNorm({ x: z, scale, offset }, options);
  const pooled = pool(normalised.output, unit);
  const activated = activate(pooled.output, { activation: options.relu ? 'linear' : unit.activation });
  return {
    output: activated.output,
    backward(dy, { inputNeeded }) {
      const dNormalised = pooled.backward(activated.backward(dy).dz);
      const gradients = batchNormGradients({ ...normalised, x: z, scale, dy: dNormalised }, options);
      const through = backThroughMap(of, gradients.dx, inputNeeded);
      const { bias } = tensors;
      const mean = bias ? add(normalised.mean, bias) : normalised.mean;
      const share = x.shape[0] / uses;
      return {
        input: through.input,
        tensors: {
          kernel: through.kernel,
          bias: bias && zerosLike(bias),
          gamma: gradients.dScale,
          beta: gradients.dOffset,
          mean: mul(mean, share),
          variance: mul(normalised.variance, share),
        },
      };
    },
  };
}

/** By the moving averages: a scale and a shift of each channel, which kernel and bias take in. */
function forwardFolded(of: Of, { epsilon }: BatchNormalization): Pass {
  const { unit, map, x } = of;
  const { kernel, bias, gamma = 1, beta = 0, mean, variance } = of.tensors;
  const scale = div(gamma, sqrt(add(variance as Tensor, epsilon)));
  const centre = bias ? sub(mean as Tensor, bias) : (mean as Tensor);
  const folded = { kernel: kernel && map?.scaleKernel(kernel, scale), bias: sub(beta, mul(centre, scale)) };
  const pass = forwardPlain({ unit, map, x: map ? x : mul(x, scale), tensors: folded });
  return {
    output: pass.output,
    backward(dy, options) {
      const { input, tensors } = pass.backward(dy, options);
      return {
        input: map ? input : input && mul(input, scale),
        tensors: {
          kernel: tensors.kernel && map?.scaleKernel(tensors.kernel, scale),
          bias: tensors.bias && mul(tensors.bias, scale),
        },
      };
    },
  };
}

function pool(x: Tensor, { pooling }: Unit): Pooled {
  return pooling ? poolMaximum(x, pooling) : { output: x, backward: (dy) => dy };
}

function backThroughMap(
  { map, x, tensors, parts }: Of,
  dz: Tensor,
  inputNeeded: boolean,
): { input?: Tensor | undefined; kernel?: Tensor } {
  if (!map) return { input: dz };
  const of = { x, kernel: tensors.kernel as Tensor, dz, parts };
  const kernel = map.kernelGradient(of);
  return inputNeeded ? { input: map.inputGradient(of), kernel } : { kernel };
}

function isOneKernel(unit: Unit): boolean {
  return kernelsReady() && fitsOneKernel(unit);
}

/** It never stores what pooling drops. */
function forwardOneKernel({ unit, x, tensors, parts }: Of): Pass {
  const { strides, padding: pad } = unit.map as Extract<Unit['map'], { type: 'conv2d' }>;
  const filter = tensors.kernel as Tensor4D;
  const bias = (tensors.bias ?? zeros([filter.shape[3]])) as Tensor1D;
  const poolPad = unit.pooling?.padding ?? 'valid';
  const options = { strides: strides[0], pad, poolPad, relu: unit.activation === 'relu' };
  const { output, index } = convolvePool({ x: x as Tensor4D, filter, bias }, options);
  return {
    output,
    backward(dy, { inputNeeded }) {
      const gradients = { x: x as Tensor4D, filter, index, dy: dy as Tensor4D };
      const { dFilter, dBias, dx } = convolvePoolGradients(gradients, { ...options, inputNeeded, parts });
      return { input: dx, tensors: { kernel: dFilter, bias: dBias } };
    },
  };
}
