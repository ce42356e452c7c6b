import type { ModelSpec, TaskSpec } from '../specs.ts';
import { outputUnits } from '../task/outputs.ts';
import { invalid, positiveInteger } from './checks.ts';
import { resolveLayers } from './resolve-layers.ts';

/**
 * Checks that a network's layers fit together and end in one linear dense layer of logits for the task.
 *
 * @throws GradwireError `RECIPE_INVALID` naming the setting, what was expected and what was found.
 */
export function validateModelSpec(spec: ModelSpec, task: TaskSpec): void {
  validateTask(task);
  const last = resolveLayers(spec).at(-1);
  const path = `model.layers[${spec.layers.length - 1}]`;
  if (last === undefined) invalid('model.layers', 'at least one layer', 'none');
  if (last.layer.type !== 'dense') invalid(path, 'a dense layer at the end', last.layer.type);
  if (last.layer.activation !== 'linear') {
    invalid(`${path}.activation`, "'linear' (the task adds softmax or sigmoid)", last.layer.activation);
  }
  const units = outputUnits(task);
  if (last.layer.units !== units)
    invalid(`${path}.units`, `${units} for this ${task.type} task`, last.layer.units);
}

function validateTask(task: TaskSpec): void {
  if (task.type !== 'binary') {
    positiveInteger(task.classes, 'task.classes');
    // Labels are bytes.
    if (task.classes > 256) invalid('task.classes', 'at most 256', task.classes);
    const smoothing = task.type === 'multiclass' ? (task.smoothing ?? 0) : 0;
    if (!(smoothing >= 0 && smoothing < 1)) invalid('task.smoothing', 'from 0 to below 1', smoothing);
    return;
  }
  if (task.positive.length === 0) invalid('task.positive', 'at least one class', 'none');
  for (const [i, label] of task.positive.entries()) {
    if (!Number.isInteger(label) || label < 0 || label > 255)
      invalid(`task.positive[${i}]`, 'a class, 0 to 255', label);
  }
}
