import type { OptimizerSpec, ScheduleSpec } from '@gradwire/engine';
import { type CompleteLayer, type ResolvedLayer, resolveLayers, type TaskSpec } from '@gradwire/models';
import { gradientCodec, outerStep, type Recipe, type Strategy } from '@gradwire/recipes';
import { formatTable } from '../output/table.ts';

/** A recipe in full, as lines for people. */
export function describeRecipe(recipe: Recipe, hash: string): string {
  const rows = settingRows(recipe, hash);
  const width = Math.max(...rows.map(([name]) => name.length));
  const settings = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return [recipe.name, `  ${recipe.description}`, '', ...settings, '', ...layerLines(recipe)].join('\n');
}

/** How many weights a layer trains. */
export function parameterCount(parameters: ResolvedLayer['parameters']): number {
  return parameters.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
}

function settingRows(recipe: Recipe, hash: string): (readonly [name: string, value: string])[] {
  const { l2, clipNorm, steps, strategy, codec, validationShare = 0 } = recipe;
  return [
    ['data set', recipe.dataset],
    ['features', featureText[recipe.features.type]],
    ['task', taskText(recipe.task)],
    ['optimizer', optimizerText(recipe.optimizer)],
    ['schedule', scheduleText(recipe.schedule)],
    ...(l2 === undefined ? [] : [['l2', String(l2)] as const]),
    ...(clipNorm === undefined ? [] : [['clip norm', String(clipNorm)] as const]),
    ...(strategy === undefined ? [] : [['strategy', strategyText(strategy)] as const]),
    ...(codec === undefined ? [] : [['codec', codecText(recipe)] as const]),
    ['batch size', String(recipe.batchSize)],
    ['shards', String(recipe.shards)],
    ['epochs', `${recipe.epochs}${steps === undefined ? '' : `, at most ${count(steps)} steps`}`],
    [
      'validation',
      validationShare === 0 ? 'none held out' : `${validationShare * 100} % of the training set`,
    ],
    ['seed', String(recipe.seed)],
    ['hash', hash],
  ];
}

const featureText = {
  normalise: 'normalise: x / 255',
  standardise: "standardise: (x / 255 - mean) / deviation, of the training set's channels",
} as const;

function taskText(task: TaskSpec): string {
  switch (task.type) {
    case 'multiclass':
      return `multiclass: one of ${task.classes} classes (softmax and cross-entropy${smoothingText(task)})`;
    case 'multilabel':
      return `multilabel: yes or no for each of ${task.classes} classes (sigmoid and binary cross-entropy)`;
    case 'binary':
      return `binary: is the class ${task.positive.join(' or ')}? (sigmoid and binary cross-entropy)`;
  }
}

function smoothingText({ smoothing = 0 }: Extract<TaskSpec, { type: 'multiclass' }>): string {
  return smoothing === 0 ? '' : `, label smoothing ${smoothing}`;
}

function optimizerText(spec: OptimizerSpec): string {
  if (spec.type === 'sgd') {
    const { momentum = 0, nesterov = false } = spec;
    return `sgd${momentum === 0 ? '' : `, ${nesterov ? 'Nesterov ' : ''}momentum ${momentum}`}`;
  }
  const { type, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0.01 } = spec;
  const decay = type === 'adamw' ? `, weight decay ${weightDecay}` : '';
  return `${type}: beta1 ${beta1}, beta2 ${beta2}, epsilon ${epsilon}${decay}`;
}

function scheduleText({ type, learningRate, warmupSteps = 0, ...rest }: ScheduleSpec): string {
  const further = Object.entries(rest).map(([name, value]) => `, ${words(name)} ${value}`);
  const warmup = warmupSteps === 0 ? '' : `, after ${warmupSteps} steps of warm-up`;
  return `${type}: learning rate ${learningRate}${further.join('')}${warmup}`;
}

function codecText(recipe: Recipe): string {
  const gradients = gradientCodec(recipe);
  const { weights = 'float32' } = recipe.codec ?? {};
  if (!gradients) return `gradients float32, weights ${weights}`;
  const { codec, shards, share, feedbackSteps } = gradients;
  const part = share === undefined ? '' : `, the largest ${share * 100} %`;
  const rest = feedbackSteps === undefined ? '' : `, the rest within ${feedbackSteps} steps`;
  return `gradients ${codec} by ${shards} shards${part}${rest}, weights ${weights}`;
}

function strategyText(strategy: Strategy): string {
  switch (strategy.type) {
    case 'synchronous':
      return 'synchronous: one update a step, from the mean gradient over all shards';
    case 'local-sgd':
      return `local-sgd: the mean of the shards' weights after ${localText(strategy)}`;
    case 'diloco': {
      const { learningRate, momentum } = outerStep(strategy);
      const outer = `outer learning rate ${learningRate}, Nesterov momentum ${momentum}`;
      return `diloco: ${localText(strategy)}; ${outer}`;
    }
    case 'asynchronous':
      return `asynchronous: a gradient may miss at most ${strategy.maxStaleness} updates; not exact`;
  }
}

function localText({ localSteps }: { localSteps: number }): string {
  return `${count(localSteps)} local ${localSteps === 1 ? 'step' : 'steps'} of each shard`;
}

function layerLines({ model }: Recipe): string[] {
  const layers = resolveLayers(model);
  const rows = [
    ['layer', 'settings', 'output', 'parameters'],
    ['input', '', shapeText(model.inputShape), ''],
    ...layers.map(({ name, layer, outputShape, parameters }) => {
      const size = parameterCount(parameters);
      return [name, layerText(layer), shapeText(outputShape), size === 0 ? '' : count(size)];
    }),
    ['total', '', '', count(layers.reduce((sum, { parameters }) => sum + parameterCount(parameters), 0))],
  ];
  return formatTable(rows, { right: [3] });
}

function layerText(layer: CompleteLayer): string {
  switch (layer.type) {
    case 'conv2d':
      return `${layer.filters} filters ${square(layer.kernelSize)}${sliding(layer, 1)}${ending(layer)}`;
    case 'depthwiseConv2d':
      return `${layer.depthMultiplier} a channel ${square(layer.kernelSize)}${sliding(layer, 1)}${ending(layer)}`;
    case 'maxPooling2d':
    case 'averagePooling2d':
      return `${square(layer.poolSize)}${sliding(layer, layer.poolSize)}`;
    case 'batchNormalization':
      return `momentum ${layer.momentum}`;
    case 'activation':
      return layer.activation;
    case 'dropout':
      return `rate ${layer.rate}`;
    case 'dense':
      return `${layer.units} ${layer.units === 1 ? 'unit' : 'units'}${ending(layer)}`;
    case 'flatten':
    case 'globalAveragePooling2d':
      return '';
  }
}

function ending({ useBias, activation }: { useBias: boolean; activation: string }): string {
  return `${useBias ? '' : ', no bias'}, ${activation}`;
}

/** Stride and padding where they are not the usual ones. */
function sliding({ strides, padding }: { strides: number; padding: string }, usual: number): string {
  return `${strides === usual ? '' : ` stride ${strides}`}${padding === 'valid' ? '' : ` ${padding}`}`;
}

function square(side: number): string {
  return `${side} x ${side}`;
}

/** `26 x 26 x 32`. */
export function shapeText(shape: readonly number[]): string {
  return shape.join(' x ');
}

function words(camelCase: string): string {
  return camelCase.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** With separators of thousands. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}
