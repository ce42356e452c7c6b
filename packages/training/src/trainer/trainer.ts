import { kernelsReady, valuesInPlace } from '@gradwire/kernels';
import type { ParameterLayout } from '@gradwire/engine';
import type { LayersModelArtifacts } from '@gradwire/models';
import {
  confusionCounts,
  countCorrect,
  layersModelArtifacts,
  lossSum,
  parameterLayout,
  probabilities,
  validateModelSpec,
} from '@gradwire/models';
import type { Recipe } from '@gradwire/recipes';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import type { Network } from '../network/network.ts';
import { createNetwork } from '../network/network.ts';
import type { WeightTensors } from './weight-tensors.ts';
import { createWeightTensors } from './weight-tensors.ts';

/** Samples ready for the network; see `createBatcher`. */
export interface Batch {
  /** `[count, ...inputShape]`, row-major. */
  readonly features: Float32Array;
  /** `[count, outputs]`, row-major. */
  readonly targets: Float32Array;
  /** Class index of each sample. */
  readonly labels: Uint8Array;
  /** At least 1. */
  readonly count: number;
}

/** What one micro-batch contributes. */
export interface GradientSum {
  /** Sum (not mean) of the samples' gradients, in the order of the layout; the caller's to keep. */
  readonly gradient: Float32Array;
  /** `[loss sum, correct answers]`. */
  readonly metrics: Float64Array;
}

/** The parts of a recipe that decide what a trainer computes. */
export type TrainedRecipe = Pick<Recipe, 'model' | 'task' | 'seed'>;

/** Computes gradients and answers of one network on the current tfjs backend. Holds one tensor a parameter. */
export interface Trainer {
  readonly recipe: TrainedRecipe;
  readonly layout: ParameterLayout;
  /** Copies a flat weight vector into the network. RangeError if its length is not `layout.size`. */
  setWeights(weights: Float32Array): void;
  /** The flat vector that was set last, not to be changed; it stays as it is when others are set. */
  weights(): Float32Array;
  /** A pure function of weights and batch, bit for bit, within a numerics class. */
  gradient(batch: Batch): GradientSum;
  /** `[loss sum, correct answers, confusion counts (actual x predicted, row-major)]`. */
  evaluate(batch: Batch): Float64Array;
  /** Probabilities `[count, outputs]`, row-major, for features `[count, ...inputShape]`. */
  predict(features: Float32Array, count: number): Float32Array;
  /** The network that gives probabilities, with its weights, for `tf.loadLayersModel(tf.io.fromMemory(...))`. */
  modelArtifacts(): LayersModelArtifacts;
  /** Frees the weights. */
  dispose(): void;
}

/**
 * Creates the trainer of a recipe. `setWeights` comes first; the caller disposes the trainer.
 *
 * @throws GradwireError `RECIPE_INVALID` if network and task do not fit.
 *
 * @example
 * await prepareBackend('auto');
 * const trainer = createTrainer({ recipe });
 * trainer.setWeights(initialWeights(recipe.model, recipe.seed));
 * const { gradient, metrics } = trainer.gradient(batch);
 */
export function createTrainer({ recipe }: { readonly recipe: TrainedRecipe }): Trainer {
  validateModelSpec(recipe.model, recipe.task);
  const layout = parameterLayout(recipe.model);
  const state: TrainerState = {
    recipe,
    layout,
    network: createNetwork(recipe.model),
    weights: createWeightTensors(layout),
  };
  return {
    recipe,
    layout,
    setWeights: (weights) => state.weights.set(weights),
    weights: () => state.weights.flat(),
    gradient: (batch) => computeGradient(state, batch),
    evaluate: (batch) => evaluateBatch(state, batch),
    predict: (features, count) => probabilities(recipe.task, computeLogits(state, features, count)),
    modelArtifacts: () =>
      layersModelArtifacts({ spec: recipe.model, task: recipe.task }, state.weights.flat()),
    dispose: () => state.weights.dispose(),
  };
}

interface TrainerState {
  readonly recipe: TrainedRecipe;
  readonly layout: ParameterLayout;
  readonly network: Network;
  readonly weights: WeightTensors;
}

function computeGradient(state: TrainerState, batch: Batch): GradientSum {
  const { recipe, layout, network, weights } = state;
  const { inputShape } = recipe.model;
  checkFeatures(inputShape, batch.features, batch.count);
  const gradient = new Float32Array(layout.size);
  const metrics = tidy(() => {
    const { logits, backward } = network.forward(
      tensor(batch.features, [batch.count, ...inputShape]),
      weights.tensors(),
    );
    const values = logits.dataSync<'float32'>();
    const dLogits = new Float32Array(values.length);
    const loss = lossSum(recipe.task, { logits: values, targets: batch.targets, gradient: dLogits });
    const gradients = backward(tensor(dLogits, logits.shape));
    for (const [i, { offset }] of layout.parameters.entries()) {
      gradient.set(valuesOf(gradients[i] as Tensor), offset);
    }
    return [loss, countCorrect(recipe.task, values, batch.labels)];
  });
  return { gradient, metrics: Float64Array.from(metrics) };
}

/** Valid until the next operation. */
function valuesOf(x: Tensor): Float32Array {
  return kernelsReady() ? valuesInPlace(x) : x.dataSync<'float32'>();
}

function evaluateBatch(state: TrainerState, batch: Batch): Float64Array {
  const { task } = state.recipe;
  const logits = computeLogits(state, batch.features, batch.count);
  return Float64Array.of(
    lossSum(task, { logits, targets: batch.targets }),
    countCorrect(task, logits, batch.labels),
    ...confusionCounts(task, logits, batch.labels),
  );
}

function computeLogits(
  { recipe, network, weights }: TrainerState,
  features: Float32Array,
  count: number,
): Float32Array {
  const { inputShape } = recipe.model;
  checkFeatures(inputShape, features, count);
  return tidy(() => {
    const logits = network.predict(tensor(features, [count, ...inputShape]), weights.tensors());
    return logits.dataSync<'float32'>();
  });
}

function checkFeatures(inputShape: readonly number[], features: Float32Array, count: number): void {
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`count: expected at least 1, found ${count}`);
  const length = inputShape.reduce((product, side) => product * side, count);
  if (features.length !== length) {
    throw new RangeError(
      `features: expected length ${length} for ${count} samples, found ${features.length}`,
    );
  }
}
