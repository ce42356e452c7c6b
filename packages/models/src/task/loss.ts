import { exp, log } from '@gradwire/random';
import type { TaskSpec } from '../specs.ts';
import { outputActivation, outputUnits } from './outputs.ts';

/** What {@link lossSum} reads and writes: arrays `[samples x outputs]`, row-major. */
export interface LossArrays {
  readonly logits: Float32Array;
  /** Values in [0, 1]; rows of a multiclass task may be smoothed. */
  readonly targets: Float32Array;
  /** Receives the derivative of the sum by each logit. */
  readonly gradient?: Float32Array;
}

/**
 * The sum of the samples' losses, computed from logits in double precision with deterministic functions, so that
 * equal logits give equal bits everywhere.
 *
 * - multiclass: softmax cross-entropy, `sum_k t_k (logsumexp(x) - x_k)`
 * - multilabel, binary: sigmoid cross-entropy, the mean over outputs of `max(x, 0) - x t + log(1 + e^-|x|)`
 *
 * Both forms stay finite for any finite logits. A NaN logit gives a NaN loss.
 *
 * @throws RangeError if the lengths differ.
 *
 * @example
 * const [logits, targets] = [new Float32Array([0, 0]), new Float32Array([1, 0])];
 * lossSum({ type: 'multiclass', classes: 2 }, { logits, targets }); // ln 2
 */
export function lossSum(task: TaskSpec, arrays: LossArrays): number {
  const { logits, targets, gradient = new Float32Array(logits.length) } = arrays;
  for (const [name, array] of Object.entries({ targets, gradient })) {
    if (array.length !== logits.length) {
      throw new RangeError(`${name}: expected length ${logits.length}, found ${array.length}`);
    }
  }
  const units = outputUnits(task);
  const rowLoss = outputActivation(task) === 'softmax' ? softmaxLoss : sigmoidLoss;
  let sum = 0;
  for (let start = 0; start < logits.length; start += units) {
    const end = start + units;
    const row = { logits: logits.subarray(start, end), targets: targets.subarray(start, end) };
    sum += rowLoss(row, gradient.subarray(start, end));
  }
  return sum;
}

/**
 * The probabilities that belong to logits, of the same shape: a softmax over each row, or a sigmoid of each value.
 */
export function probabilities(task: TaskSpec, logits: Float32Array): Float32Array {
  const out = new Float32Array(logits.length);
  const units = outputUnits(task);
  if (outputActivation(task) === 'sigmoid') return out.map((_, i) => sigmoid(logits[i] as number));
  for (let start = 0; start < logits.length; start += units) {
    const row = logits.subarray(start, start + units);
    const { max, total } = exponentialSum(row);
    for (const [k, x] of row.entries()) out[start + k] = exp(x - max) / total;
  }
  return out;
}

interface Row {
  readonly logits: Float32Array;
  readonly targets: Float32Array;
}

function softmaxLoss({ logits, targets }: Row, gradient: Float32Array): number {
  const { max, total } = exponentialSum(logits);
  const logTotal = max + log(total);
  const targetSum = targets.reduce((sum, t) => sum + t, 0);
  let loss = 0;
  for (const [k, x] of logits.entries()) {
    const t = targets[k] as number;
    loss += t * (logTotal - x);
    gradient[k] = (exp(x - max) / total) * targetSum - t;
  }
  return loss;
}

/** The sum of `e^(x - max)`: at least 1, so that neither it nor its logarithm overflows. */
function exponentialSum(logits: Float32Array): { max: number; total: number } {
  const max = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let total = 0;
  for (const x of logits) total += exp(x - max);
  return { max, total };
}

function sigmoidLoss({ logits, targets }: Row, gradient: Float32Array): number {
  let loss = 0;
  for (const [k, x] of logits.entries()) {
    const t = targets[k] as number;
    loss += Math.max(x, 0) - x * t + log(1 + exp(-Math.abs(x)));
    gradient[k] = (sigmoid(x) - t) / logits.length;
  }
  return loss / logits.length;
}

/** `1 / (1 + e^-x)`, written so that the exponential never overflows. */
function sigmoid(x: number): number {
  const small = exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + small) : small / (1 + small);
}
