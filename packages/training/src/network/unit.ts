import { convolvePool, convolvePoolGradients, kernelsReady } from '@gradwire/kernels';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { add, div, mul, sqrt, sub, zeros, zerosLike } from '@tensorflow/tfjs-core';
import { activate } from './activation.ts';
import { normalise } from './batch-norm.ts';
import type { Block, ForwardPass } from './block.ts';
import type { Unit } from './fuse.ts';
import { fitsOneKernel } from './fuse.ts';
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
    forward([x], list, { training }) {
      const tensors: Tensors = Object.fromEntries(slots.map((slot, i) => [slot, list[i]]));
      const of = { unit, map, x: x as Tensor, tensors };
      const isFolded = unit.norm && (!training || unit.norm.frozen);
      const { output, backward } = isFolded
        ? forwardFolded(of)
        : unit.norm
          ? forwardNormalised(of)
          : forwardPlain(of);
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
}

/** Without batch normalisation. */
function forwardPlain(of: Of): Pass {
  const { unit, map, x, tensors } = of;
  if (isOneKernel(unit)) return forwardOneKernel(of);
  const z = map ? map.apply(x, tensors.kernel as Tensor) : x;
  const pooled = pool(z, unit);
  const activated = activate(pooled.output, tensors.bias, unit.activation);
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
function forwardNormalised(of: Of): Pass {
  const { unit, map, x, tensors } = of;
  const { epsilon = 0, uses = 1 } = unit.norm ?? {};
  const z = map ? map.apply(x, tensors.kernel as Tensor) : x;
  const normalised = normalise(z, tensors.gamma, epsilon);
  const pooled = pool(normalised.output, unit);
  const activated = activate(pooled.output, tensors.beta, unit.activation);
  return {
    output: activated.output,
    backward(dy, { inputNeeded }) {
      const { dz, dBias: beta } = activated.backward(dy);
      const { dx, dGamma: gamma } = normalised.backward(pooled.backward(dz), {
        inputNeeded: inputNeeded || map !== undefined,
      });
      const through = backThroughMap(of, dx, inputNeeded);
      const share = (x.shape[0] as number) / uses;
      const { bias } = tensors;
      return {
        input: through.input,
        tensors: {
          kernel: through.kernel,
          bias: bias && zerosLike(bias),
          gamma,
          beta,
          mean: mul(bias ? add(normalised.mean, bias) : normalised.mean, share),
          variance: mul(normalised.variance, share),
        },
      };
    },
  };
}

/** By the moving averages: a scale and a shift of each channel, which kernel and bias take in. */
function forwardFolded(of: Of): Pass {
  const { unit, map, x } = of;
  const { kernel, bias, gamma = 1, beta = 0, mean, variance } = of.tensors;
  const scale = div(gamma, sqrt(add(variance as Tensor, unit.norm?.epsilon ?? 0)));
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
  { map, x, tensors }: Of,
  dz: Tensor | undefined,
  inputNeeded: boolean,
): { input?: Tensor | undefined; kernel?: Tensor } {
  if (!map || !dz) return { input: dz };
  const of = { x, kernel: tensors.kernel as Tensor, dz };
  const kernel = map.kernelGradient(of);
  return inputNeeded ? { input: map.inputGradient(of), kernel } : { kernel };
}

function isOneKernel(unit: Unit): boolean {
  return kernelsReady() && fitsOneKernel(unit);
}

/** It never stores what pooling drops. */
function forwardOneKernel({ unit, x, tensors }: Of): Pass {
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
      const { dFilter, dBias, dx } = convolvePoolGradients(gradients, { ...options, inputNeeded });
      return { input: dx, tensors: { kernel: dFilter, bias: dBias } };
    },
  };
}
