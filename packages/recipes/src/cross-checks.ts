import { formatCount } from '@gradwire/data';
import { GradwireError } from '@gradwire/errors';
import { parameterLayout, type TaskSpec, validateModelSpec } from '@gradwire/models';
import { maxParameters } from '@gradwire/protocol';
import type { Recipe } from './recipe.ts';
import { localStrategy } from './strategy.ts';

/**
 * What is wrong with settings that are each fine alone: `path: expected …, found …`, one for each fault.
 */
export function crossChecks(recipe: Recipe): string[] {
  return [
    ...modelMisfits(recipe),
    ...taskMisfits(recipe.task),
    ...updateMisfits(recipe),
    ...lengthMisfits(recipe),
    ...feedbackMisfits(recipe),
  ];
}

/** Layers that fit one another and end in the task's outputs: the models' package knows. And weights that fit a message. */
function modelMisfits({ model, task }: Recipe): string[] {
  try {
    validateModelSpec(model, task);
    const { size } = parameterLayout(model);
    if (size <= maxParameters) return [];
    const [most, found] = [maxParameters, size].map(formatCount);
    return [`model: expected at most ${most} parameters, found ${found}`];
  } catch (error) {
    if (error instanceof GradwireError) return [error.message];
    throw error;
  }
}

function taskMisfits(task: TaskSpec): string[] {
  if (task.type !== 'binary') return [];
  const repeated = task.positive.find((label, index) => task.positive.indexOf(label) !== index);
  return repeated === undefined ? [] : [`task.positive: expected each label once, found ${repeated} twice`];
}

function updateMisfits({ optimizer, schedule }: Recipe): string[] {
  const misfits: string[] = [];
  if (optimizer.type === 'sgd' && optimizer.nesterov && !optimizer.momentum) {
    const found = optimizer.momentum ?? 'none';
    misfits.push(`optimizer.momentum: expected a momentum above 0 for nesterov, found ${found}`);
  }
  if (schedule.type === 'cosine' && (schedule.finalLearningRate ?? 0) > schedule.learningRate) {
    const { learningRate, finalLearningRate } = schedule;
    misfits.push(
      `schedule.finalLearningRate: expected at most learningRate (${learningRate}), found ${finalLearningRate}`,
    );
  }
  return misfits;
}

function lengthMisfits({ schedule, steps, strategy }: Recipe): string[] {
  const warmup = schedule.warmupSteps ?? 0;
  const { localSteps } = localStrategy(strategy) ?? { localSteps: 1 };
  if (steps === undefined || warmup < steps * localSteps) return [];
  const most = localSteps === 1 ? `steps (${steps})` : `steps times localSteps (${steps * localSteps})`;
  return [`schedule.warmupSteps: expected fewer than ${most}, found ${warmup}`];
}

/** What is kept of a shard's gradient must be sent with its next one. */
function feedbackMisfits({ codec, strategy, batchSize, shards }: Recipe): string[] {
  const gradients = codec?.gradients;
  if (gradients?.type !== 'top-k' || gradients.feedbackSteps === undefined) return [];
  const misfits: string[] = [];
  if (strategy?.type === 'asynchronous')
    misfits.push(`codec.gradients.feedbackSteps: expected steps in order, found the strategy asynchronous`);
  if (batchSize < shards)
    misfits.push(
      `batchSize: expected at least one sample a shard (${shards}) for feedbackSteps, found ${batchSize}`,
    );
  return misfits;
}
