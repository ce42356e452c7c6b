import { backend, engine, getBackend, getKernel } from '#tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';

/** A convolution followed by bias, relu if asked for, and max-pooling over 2 x 2 with stride 2. */
export interface ConvolvePoolOptions {
  readonly strides: number;
  readonly pad: 'valid' | 'same';
  /** Padding of the pooling: `valid` drops an odd last row or column, `same` keeps it. */
  readonly poolPad: 'valid' | 'same';
  readonly relu: boolean;
}

/** Are the kernels registered and the wasm backend the current one? Only then may the operations be called. */
export function kernelsReady(): boolean {
  return getBackend() === 'wasm' && getKernel('GradwireConvolvePool', 'wasm') !== undefined;
}

/**
 * The pooled outputs, and for the backward pass a byte for each: which pixel of the window (0 to 3) holds the first
 * maximum, or 4 where relu cut it off. The caller disposes both.
 */
export function convolvePool(
  { x, filter, bias }: { readonly x: Tensor4D; readonly filter: Tensor4D; readonly bias: Tensor1D },
  options: ConvolvePoolOptions,
): { output: Tensor4D; index: Tensor4D } {
  const inputs = { x, filter, bias };
  const [output, index] = engine().runKernel<[Tensor4D, Tensor4D]>('GradwireConvolvePool', inputs, {
    ...options,
  });
  return { output, index };
}

/** The gradients by filter, bias and, if `inputNeeded`, by x. The caller disposes them. */
export function convolvePoolGradients(
  inputs: {
    readonly x: Tensor4D;
    readonly filter: Tensor4D;
    readonly index: Tensor4D;
    readonly dy: Tensor4D;
  },
  options: ConvolvePoolOptions & { readonly inputNeeded: boolean; readonly parts?: Parts | undefined },
): { dFilter: Tensor4D; dBias: Tensor1D; dx?: Tensor4D } {
  const { parts, ...rest } = options;
  const attrs = { ...rest, ...(parts && { parts: [...parts] }) };
  const gradients = engine().runKernel('GradwireConvolvePoolGradients', { ...inputs }, attrs);
  const [dFilter, dBias, dx] = gradients as [Tensor4D, Tensor1D, Tensor4D | undefined];
  return { dFilter, dBias, ...(dx && { dx }) };
}

/**
 * Some sums over a batch can be taken part by part. `parts` says how many samples each one has; there are 1, 2, 4, … of them,
 * default 1. The parts' sums, each with the bits that it has alone, are added as the halves of a balanced tree.
 */
export type Parts = readonly number[];

/** `x' dy` of `[samples, m]` and `[samples, n]`: the gradient of a dense layer by its weights, `[m, n]`. */
export function sumOfProducts(x: Tensor2D, dy: Tensor2D, parts: Parts): Tensor2D {
  return engine().runKernel('GradwireSumOfProducts', { x, dy }, { parts: [...parts] });
}

/** The sum over all axes but the last, each part's in double precision: the gradient of a bias. */
export function sumRows(x: Tensor, parts: Parts): Tensor1D {
  return engine().runKernel('GradwireSumRows', { x }, { parts: [...parts] });
}

/** See {@link batchNorm}. */
export interface BatchNormOptions {
  /** Added to the variance. */
  readonly epsilon: number;
  /** Apply relu to the result? */
  readonly relu: boolean;
}

/**
 * Batch normalisation over the last axis as training does it (Ioffe and Szegedy, 2015):
 * `scale (x - mean) / sqrt(variance + epsilon) + offset`, with mean and variance of this batch (all axes but the last;
 * the variance divided by their size, not one less). The caller disposes all three.
 *
 * @throws RangeError where x is empty or scale or offset have not one value a channel.
 */
export function batchNorm(
  { x, scale, offset }: { readonly x: Tensor; readonly scale: Tensor1D; readonly offset: Tensor1D },
  options: BatchNormOptions,
): { output: Tensor; mean: Tensor1D; variance: Tensor1D } {
  const results = engine().runKernel('GradwireBatchNorm', { x, scale, offset }, { ...options });
  const [output, mean, variance] = results as [Tensor, Tensor1D, Tensor1D];
  return { output, mean, variance };
}

/**
 * The gradients of {@link batchNorm} from the one by its output. `output`, `mean` and `variance` are what it returned; of
 * these, `output` is read only with relu. The caller disposes the gradients.
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
  options: BatchNormOptions,
): { dx: Tensor; dScale: Tensor1D; dOffset: Tensor1D } {
  const gradients = engine().runKernel('GradwireBatchNormGradients', { ...inputs }, { ...options });
  const [dx, dScale, dOffset] = gradients as [Tensor, Tensor1D, Tensor1D];
  return { dx, dScale, dOffset };
}

/** Both of one shape, the classes or outputs along the last axis. */
export interface LogitsAndTargets {
  readonly logits: Tensor;
  /** From 0 to 1; may be smoothed. */
  readonly targets: Tensor;
  readonly parts?: Parts | undefined;
}

/** A loss and its derivative. */
export interface CrossEntropy {
  /** The sum (not the mean) over the samples, in double precision; of parts added as their gradients are. */
  readonly loss: number;
  /** The gradient of that sum by the logits; the caller disposes it. */
  readonly dLogits: Tensor;
}

/**
 * Softmax cross-entropy, `sum_k t_k (logsumexp(x) - x_k)` for each sample, computed in double precision with exponential
 * and logarithm of its own: the same bits on every machine, which `Math.exp` does not promise. Finite for finite logits.
 *
 * @throws RangeError if the shapes differ or the last axis is empty.
 */
export function softmaxCrossEntropy(inputs: LogitsAndTargets): CrossEntropy {
  return crossEntropy('GradwireSoftmaxCrossEntropy', inputs);
}

/** As {@link softmaxCrossEntropy}, of sigmoids: for each sample the mean of `max(x, 0) - x t + log(1 + e^-|x|)`. */
export function sigmoidCrossEntropy(inputs: LogitsAndTargets): CrossEntropy {
  return crossEntropy('GradwireSigmoidCrossEntropy', inputs);
}

function crossEntropy(name: string, { logits, targets, parts }: LogitsAndTargets): CrossEntropy {
  const attrs = parts ? { parts: [...parts] } : {};
  const [dLogits, sums] = engine().runKernel<[Tensor, Tensor]>(name, { logits, targets }, attrs);
  // The bytes of doubles, which no type of tensor holds.
  const losses = new Float64Array(valuesInPlace(sums).slice().buffer);
  sums.dispose();
  return { loss: treeSum(losses), dLogits };
}

/** The sum of 1, 2, 4, … numbers, half with half. */
function treeSum(values: Float64Array): number {
  if (values.length === 1) return values[0] as number;
  const half = values.length / 2;
  return treeSum(values.subarray(0, half)) + treeSum(values.subarray(half));
}

/** `x + bias` along the last axis, then relu if asked for. */
export function addBias(x: Tensor, bias: Tensor, { relu }: { readonly relu: boolean }): Tensor {
  return engine().runKernel('GradwireAddBias', { x, bias }, { relu });
}

/** The gradient by relu's input, from the one by its output and the output itself. */
export function reluGradient(dy: Tensor, y: Tensor): Tensor {
  return engine().runKernel('GradwireReluGradient', { dy, y });
}

/**
 * A float32 tensor's values without a copy. Valid until the next operation: the heap may grow, and freed values are
 * overwritten.
 */
export function valuesInPlace(x: Tensor): Float32Array {
  return (backend() as BackendWasm).typedArrayFromHeap(x) as Float32Array;
}
