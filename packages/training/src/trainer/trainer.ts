import type { ParameterLayout } from '@gradwire/engine';
import { kernelsReady, valuesInPlace } from '@gradwire/kernels';
import type { LayersModelArtifacts, TaskSpec } from '@gradwire/models';
import { confusionCounts, countCorrect, lossSum, probabilities } from '@gradwire/models';
import { smoothTargets } from '@gradwire/preprocess';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor, tidy } from '#tfjs-core';
import type { Position } from '../network/block.ts';
import type { BlockSummary } from '../network/explain.ts';
import { computeLoss } from './compute-loss.ts';
import type { TrainedModel, TrainedRecipe, TrainerParts } from './trainer-parts.ts';
import { partsOfModel, partsOfRecipe } from './trainer-parts.ts';

/** Samples ready for the network; see `createBatcher`. */
export interface Batch {
  /** `[count, ...inputShape]`, row-major. */
  readonly features: Float32Array;
  /** `[count, outputs]`, row-major; before any label smoothing, which `gradient` adds. */
  readonly targets: Float32Array;
  /** Class index of each sample. */
  readonly labels: Uint8Array;
  /** At least 1. */
  readonly count: number;
  /**
   * How many samples each of its parts has: 1, 2, 4, … neighbours that are computed in one pass. Their gradients and losses,
   * with the bits that each has alone, are added as the halves of a balanced tree. Default: one part.
   */
  readonly parts?: readonly number[];
}

/** What one micro-batch contributes. */
export interface GradientSum {
  /** Sum (not mean) of the samples' gradients, in the order of the layout; the caller's to keep. */
  readonly gradient: Float32Array;
  /** `[loss sum, correct answers]`. */
  readonly metrics: Float64Array;
}

/** Computes gradients and answers of one network on the current tfjs backend. Holds one tensor a parameter. */
export interface Trainer {
  readonly task: TaskSpec;
  readonly seed: number;
  /** Shape of one sample. */
  readonly inputShape: readonly number[];
  readonly layout: ParameterLayout;
  /** Which layers are computed together, and which run as tfjs runs them. */
  readonly blocks: readonly BlockSummary[];
  /** What a recipe's run starts from; of a LayersModel the weights that it holds now. */
  initialWeights(): Float32Array;
  /** Copies a flat weight vector into the network. RangeError if its length is not `layout.size`. */
  setWeights(weights: Float32Array): void;
  /** The flat vector that was set last, not to be changed; it stays as it is when others are set. */
  weights(): Float32Array;
  /** Whether batches may have several parts here: not with every network, and only with our kernels. */
  takesParts(): boolean;
  /**
   * A pure function of weights, batch and position, bit for bit, within a numerics class. TypeError if the network draws
   * random numbers (dropout) and there is no position, or for several parts that it does not take. With `into`, of
   * `layout.size` elements, the gradient goes there.
   */
  gradient(batch: Batch, position?: Position, into?: Float32Array): GradientSum;
  /** `[loss sum, correct answers, confusion counts (actual x predicted, row-major)]`. */
  evaluate(batch: Batch): Float64Array;
  /** Probabilities `[count, outputs]`, row-major, for features `[count, ...inputShape]`. */
  predict(features: Float32Array, count: number): Float32Array;
  /**
   * The network with its weights, for `tf.loadLayersModel(tf.io.fromMemory(...))`: a recipe's gives probabilities, a
   * LayersModel what it gives.
   */
  modelArtifacts(): LayersModelArtifacts;
  /** Frees the weights of a recipe; a LayersModel stays with its owner. */
  dispose(): void;
}

/**
 * Creates the trainer of a recipe or of a LayersModel; the caller disposes it. For a recipe `setWeights` comes first; a
 * model starts with its own weights and always holds those that were set last. Its regularisers, constraints and
 * compiled loss are not used.
 *
 * @throws GradwireError `RECIPE_INVALID` if network and task do not fit.
 *
 * @example
 * await prepareBackend('auto');
 * const trainer = createTrainer({ recipe });
 * trainer.setWeights(trainer.initialWeights());
 * const { gradient, metrics } = trainer.gradient(batch);
 */
export function createTrainer(source: { readonly recipe: TrainedRecipe } | TrainedModel): Trainer {
  const parts = 'recipe' in source ? partsOfRecipe(source.recipe) : partsOfModel(source);
  const { task, seed, inputShape, layout, blocks, weights } = parts;
  return {
    task,
    seed,
    inputShape,
    layout,
    blocks,
    initialWeights: () => parts.initialWeights(),
    setWeights: (values) => weights.set(values),
    weights: () => weights.flat(),
    takesParts: () => takesParts(parts),
    gradient: (batch, position, into = new Float32Array(layout.size)) => ({
      gradient: into,
      metrics: computeGradient(parts, batch, { position, gradient: into }),
    }),
    evaluate: (batch) => evaluateBatch(parts, batch),
    predict: (features, count) => probabilities(task, computeLogits(parts, features, count)),
    modelArtifacts: () => parts.modelArtifacts(),
    dispose: () => weights.dispose(),
  };
}

function takesParts({ network }: TrainerParts): boolean {
  return network.takesParts && kernelsReady();
}

function computeGradient(
  parts: TrainerParts,
  batch: Batch,
  { position, gradient }: { readonly position: Position | undefined; readonly gradient: Float32Array },
): Float64Array {
  const { task, seed, inputShape, layout, network, weights } = parts;
  checkFeatures(inputShape, batch.features, batch.count);
  const several = (batch.parts?.length ?? 1) > 1 ? batch.parts : undefined;
  if (several && !takesParts(parts))
    throw new TypeError('batch.parts: this network takes one part at a time');
  const metrics = tidy(() => {
    const x = tensor(batch.features, [batch.count, ...inputShape]);
    const mode = { training: true, seed, position, parts: several } as const;
    const { logits, backward } = network.forward(x, weights.tensors(), mode);
    const targets = smoothTargets(batch.targets, task);
    const { loss, dLogits, values } = computeLoss(task, { logits, targets, parts: several });
    const gradients = backward(dLogits);
    for (const [i, { offset, size }] of layout.parameters.entries()) {
      const found = gradients[i];
      if (found) gradient.set(valuesOf(found), offset);
      else gradient.fill(0, offset, offset + size);
    }
    return [loss, countCorrect(task, values, batch.labels)];
  });
  return Float64Array.from(metrics);
}

/** Valid until the next operation. */
function valuesOf(x: Tensor): Float32Array {
  return kernelsReady() ? valuesInPlace(x) : x.dataSync<'float32'>();
}

function evaluateBatch(parts: TrainerParts, batch: Batch): Float64Array {
  const { task } = parts;
  const logits = computeLogits(parts, batch.features, batch.count);
  return Float64Array.of(
    lossSum(task, { logits, targets: batch.targets }),
    countCorrect(task, logits, batch.labels),
    ...confusionCounts(task, logits, batch.labels),
  );
}

function computeLogits(
  { inputShape, network, weights }: TrainerParts,
  features: Float32Array,
  count: number,
): Float32Array {
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
