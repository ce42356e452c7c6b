import type { Recipe } from './recipe.ts';
import { localStrategy } from './strategy.ts';

/** How many steps a recipe makes. */
export interface StepCounts {
  /** Samples that one step takes from all shards together: the recipe's batch size times its local steps. */
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** Steps of the whole run. */
  readonly totalSteps: number;
  /** The same in local steps, which the learning-rate schedule follows. Without a local strategy they are the steps. */
  readonly local: { readonly stepsPerEpoch: number; readonly totalSteps: number };
}

/**
 * Counts the steps of a recipe. The last step of an epoch takes what is left: with a local strategy it has fewer
 * local steps.
 *
 * @param trainingCount Samples that are trained on, without those held out.
 * @example
 * countSteps(recipe, 60_000).stepsPerEpoch; // 469 with batches of 128; 15 if each step has 32 local ones
 */
export function countSteps(
  recipe: Pick<Recipe, 'batchSize' | 'epochs' | 'steps' | 'strategy'>,
  trainingCount: number,
): StepCounts {
  const { epochs, steps = Number.POSITIVE_INFINITY } = recipe;
  const { localSteps } = localStrategy(recipe.strategy) ?? { localSteps: 1 };
  const batchSize = recipe.batchSize * localSteps;
  const stepsPerEpoch = Math.ceil(trainingCount / batchSize);
  const totalSteps = Math.min(steps, epochs * stepsPerEpoch);
  const localPerEpoch = Math.ceil(trainingCount / recipe.batchSize);
  const wholeEpochs = Math.floor(totalSteps / stepsPerEpoch);
  const localTotal = wholeEpochs * localPerEpoch + (totalSteps % stepsPerEpoch) * localSteps;
  return {
    batchSize,
    stepsPerEpoch,
    totalSteps,
    local: { stepsPerEpoch: localPerEpoch, totalSteps: localTotal },
  };
}
