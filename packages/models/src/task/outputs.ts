import type { TaskSpec } from '../specs.ts';

/** Number of logits a sample: one a class, or a single one for a binary task. */
export function outputUnits(task: TaskSpec): number {
  return task.type === 'binary' ? 1 : task.classes;
}

/** Number of different answers, and so the sides of the confusion matrix: the classes, or 2 for a binary task. */
export function answerCount(task: TaskSpec): number {
  return task.type === 'binary' ? 2 : task.classes;
}

/** The activation that turns logits into probabilities. */
export function outputActivation(task: TaskSpec): 'softmax' | 'sigmoid' {
  return task.type === 'multiclass' ? 'softmax' : 'sigmoid';
}
