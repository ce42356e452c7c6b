import type { Dataset } from '@gradwire/data';
import { evaluationBlocks, microBatchSize, trainingIndices } from '@gradwire/data';
import type { EnginePlan } from '@gradwire/engine';
import { GradwireError } from '@gradwire/errors';
import { initialWeights, parameterLayout } from '@gradwire/models';
import { type FeatureStatistics, featureStatistics } from '@gradwire/preprocess';
import { countSteps, localStrategy, outerStep, type Recipe } from '@gradwire/recipes';
import { engineCoding } from './codecs.ts';

/** What is trained and evaluated on. */
export interface Splits {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** Turns a recipe and its data set into the engine's plan. Throws RECIPE_INVALID where the two do not fit. */
export function createPlan(recipe: Recipe, { train, test }: Splits): EnginePlan {
  checkFit(recipe, train);
  const { shards, seed, validationShare = 0 } = recipe;
  const { training, validation } = trainingIndices(train.count, { validationShare, seed });
  if (training.length === 0 || (validationShare > 0 && validation.length === 0)) {
    throw new GradwireError(
      'RECIPE_INVALID',
      `recipe ${recipe.name}: validationShare ${validationShare} leaves ${training.length} samples for training and ${validation.length} for validation`,
      { hint: 'Choose a share that leaves at least one sample on both sides.' },
    );
  }
  const { batchSize, stepsPerEpoch, totalSteps } = countSteps(recipe, training.length);
  const layout = parameterLayout(recipe.model);
  return {
    layout,
    initialWeights: initialWeights(recipe.model, seed),
    ...updateOf(recipe),
    ...engineCoding(recipe, layout),
    shards,
    stepsPerEpoch,
    totalSteps,
    classes: recipe.task.type === 'binary' ? 2 : recipe.task.classes,
    stepSamples: (step) =>
      Array.from({ length: shards }, (_, shard) =>
        microBatchSize({ count: training.length, shards, batchSize, step: step % stepsPerEpoch, shard }),
      ),
    evaluations: {
      afterEpoch: validation.length > 0 ? 'validation' : 'test',
      atEnd: 'test',
      blocks: { validation: evaluationBlocks(validation.length), test: evaluationBlocks(test.count) },
    },
  };
}

/** How a step changes the weights. With a local strategy the recipe's own optimizer works on the workers. */
function updateOf(
  recipe: Recipe,
): Pick<EnginePlan, 'optimizer' | 'schedule' | 'l2' | 'clipNorm' | 'maxStaleness'> {
  const { optimizer, schedule, l2, clipNorm, strategy } = recipe;
  const local = localStrategy(strategy);
  if (!local) {
    return {
      optimizer,
      schedule,
      ...(l2 === undefined ? {} : { l2 }),
      ...(clipNorm === undefined ? {} : { clipNorm }),
      ...(strategy?.type === 'asynchronous' ? { maxStaleness: strategy.maxStaleness } : {}),
    };
  }
  // Local SGD takes the mean of the shards' weights: all of the mean change, and nothing of earlier ones.
  if (local.type === 'local-sgd') {
    return { optimizer: { type: 'sgd' }, schedule: { type: 'constant', learningRate: 1 } };
  }
  const { learningRate, momentum } = outerStep(local);
  const outer = { type: 'sgd', momentum, nesterov: momentum > 0 } as const;
  return { optimizer: outer, schedule: { type: 'constant', learningRate } };
}

function checkFit(recipe: Recipe, train: Dataset): void {
  const expected = recipe.model.inputShape.join(' x ');
  const found = train.sampleShape.join(' x ');
  if (expected !== found) {
    throw new GradwireError(
      'RECIPE_INVALID',
      `recipe ${recipe.name}: the model expects samples of ${expected}, but ${train.name} has ${found}`,
      { hint: 'Change inputShape of the model or the data set of the recipe.' },
    );
  }
  if (recipe.task.type !== 'binary' && recipe.task.classes !== train.classNames.length) {
    throw new GradwireError(
      'RECIPE_INVALID',
      `recipe ${recipe.name}: the task has ${recipe.task.classes} classes, but ${train.name} has ${train.classNames.length}`,
      { hint: 'Make the number of classes equal.' },
    );
  }
}

/** Statistics of the training part of the split: validation samples must not leak into the preprocessing. */
export function statisticsOf({ validationShare = 0, seed }: Recipe, train: Dataset): FeatureStatistics {
  const { training } = trainingIndices(train.count, { validationShare, seed });
  const statistics = featureStatistics({ ...train, indices: training });
  if (![...statistics.mean, ...statistics.deviation].every(Number.isFinite)) throw notFinite(train);
  return statistics;
}

function notFinite({ name, features, sampleShape }: Dataset): GradwireError {
  const index = features.findIndex((value) => !Number.isFinite(value));
  const sample = Math.floor(index / sampleShape.reduce((product, side) => product * side, 1));
  const found = index < 0 ? 'features too large to average' : `${features[index]} in sample ${sample}`;
  return new GradwireError('DATA_CORRUPT', `${name}: expected finite features, found ${found}`, {
    hint: 'Repair or leave out the sample: one such value makes every weight NaN.',
  });
}
