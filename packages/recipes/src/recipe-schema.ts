import type { OptimizerSpec, ScheduleSpec } from '@gradwire/engine';
import type { LayerSpec, ModelSpec, TaskSpec } from '@gradwire/models';
import type { FeatureSpec } from '@gradwire/preprocess';
import * as v from 'valibot';
import type { CodecSpec } from './codec.ts';
import { expecting, integer, list, number, objectMessage, oneOf, text } from './plain-schema.ts';
import type { Recipe } from './recipe.ts';
import type { Strategy } from './strategy.ts';

const optional = v.exactOptional;
const name = text(
  'lower-case words joined by hyphens, at most 64 letters',
  /^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*$/,
);
const positive = number('a number above 0', (value) => value > 0);
const notNegative = number('a number of at least 0', (value) => value >= 0);
const belowOne = number('a number from 0 to below 1', (value) => value >= 0 && value < 1);
const atLeastOne = number('a number of at least 1', (value) => value >= 1);
const flag = v.boolean(expecting('true or false'));
const size = integer(1, 65_536);

/** An object with exactly these settings. */
function object<const Entries extends v.ObjectEntries>(
  entries: Entries,
): v.StrictObjectSchema<Entries, (issue: v.StrictObjectIssue) => string> {
  return v.strictObject(entries, objectMessage(Object.keys(entries)));
}

/** The message for a `type` that none of a setting's variants has. */
function variantMessage(issue: v.VariantIssue): string {
  if (issue.expected === 'Object') return expecting('an object')(issue);
  return expecting(issue.expected.replaceAll(' | ', ' or ').replaceAll(/[()]/g, ''))(issue);
}

const features: v.GenericSchema<unknown, FeatureSpec> = v.variant(
  'type',
  [object({ type: v.literal('normalise') }), object({ type: v.literal('standardise') })],
  variantMessage,
);

const window = { strides: optional(size), padding: optional(oneOf(['valid', 'same'])) };
const activation = oneOf(['linear', 'relu']);
const behind = { useBias: optional(flag), activation: optional(activation) };

const layer: v.GenericSchema<unknown, LayerSpec> = v.variant(
  'type',
  [
    object({ type: v.literal('conv2d'), filters: size, kernelSize: size, ...window, ...behind }),
    object({
      type: v.literal('depthwiseConv2d'),
      kernelSize: size,
      depthMultiplier: optional(size),
      ...window,
      ...behind,
    }),
    object({ type: v.literal('maxPooling2d'), poolSize: size, ...window }),
    object({ type: v.literal('averagePooling2d'), poolSize: size, ...window }),
    object({ type: v.literal('globalAveragePooling2d') }),
    object({
      type: v.literal('batchNormalization'),
      momentum: optional(belowOne),
      epsilon: optional(positive),
    }),
    object({ type: v.literal('activation'), activation }),
    object({ type: v.literal('dropout'), rate: belowOne }),
    object({ type: v.literal('flatten') }),
    object({ type: v.literal('dense'), units: size, ...behind }),
  ],
  variantMessage,
);

const model: v.GenericSchema<unknown, ModelSpec> = object({
  name,
  inputShape: list(size, 1, 4),
  layers: list(layer, 1, 256),
});

const task: v.GenericSchema<unknown, TaskSpec> = v.variant(
  'type',
  [
    object({ type: v.literal('multiclass'), classes: integer(2, 256), smoothing: optional(belowOne) }),
    object({ type: v.literal('multilabel'), classes: integer(1, 256) }),
    object({ type: v.literal('binary'), positive: list(integer(0, 255), 1, 255) }),
  ],
  variantMessage,
);

const adam = { beta1: optional(belowOne), beta2: optional(belowOne), epsilon: optional(positive) };

const optimizer: v.GenericSchema<unknown, OptimizerSpec> = v.variant(
  'type',
  [
    object({ type: v.literal('sgd'), momentum: optional(belowOne), nesterov: optional(flag) }),
    object({ type: v.literal('adam'), ...adam }),
    object({ type: v.literal('adamw'), ...adam, weightDecay: optional(notNegative) }),
  ],
  variantMessage,
);

const rate = { learningRate: positive, warmupSteps: optional(integer(0, 1_000_000_000)) };

const schedule: v.GenericSchema<unknown, ScheduleSpec> = v.variant(
  'type',
  [
    object({ type: v.literal('constant'), ...rate }),
    object({ type: v.literal('step'), ...rate, factor: positive, everyEpochs: integer(1, 1_000_000) }),
    object({ type: v.literal('cosine'), ...rate, finalLearningRate: optional(notNegative) }),
    object({
      type: v.literal('one-cycle'),
      ...rate,
      riseShare: optional(number('a number above 0 and below 1', (value) => value > 0 && value < 1)),
      startDivisor: optional(atLeastOne),
      endDivisor: optional(atLeastOne),
    }),
  ],
  variantMessage,
);

const localSteps = integer(1, 1_000_000);

const strategy: v.GenericSchema<unknown, Strategy> = v.variant(
  'type',
  [
    object({ type: v.literal('synchronous') }),
    object({ type: v.literal('local-sgd'), localSteps }),
    object({
      type: v.literal('diloco'),
      localSteps,
      outerLearningRate: optional(positive),
      outerMomentum: optional(belowOne),
    }),
    object({ type: v.literal('asynchronous'), maxStaleness: integer(0, 1_000_000) }),
  ],
  variantMessage,
);

const groupSize = number(
  'a power of two from 1 to 1,024',
  (value) => Number.isInteger(value) && value >= 1 && value <= 1024 && (value & (value - 1)) === 0,
);

const codec: v.GenericSchema<unknown, CodecSpec> = object({
  gradients: optional(
    v.variant(
      'type',
      [
        object({ type: v.literal('bfloat16'), shards: optional(groupSize) }),
        object({ type: v.literal('float16'), shards: optional(groupSize) }),
        object({ type: v.literal('int8'), shards: optional(groupSize) }),
        object({
          type: v.literal('top-k'),
          shards: optional(groupSize),
          share: optional(number('a number above 0, up to 0.5', (value) => value > 0 && value <= 0.5)),
          feedbackSteps: optional(integer(2, 1024)),
        }),
      ],
      variantMessage,
    ),
  ),
  weights: optional(oneOf(['bfloat16', 'float16'])),
});

/** What each setting of a recipe may be, taken alone; `crossChecks` looks at settings together. */
export const recipeSchema: v.GenericSchema<unknown, Recipe> = object({
  name,
  description: text('one line of 1 to 200 letters', /^[^\n\r]{1,200}$/),
  dataset: name,
  features,
  model,
  task,
  optimizer,
  schedule,
  l2: optional(notNegative),
  clipNorm: optional(positive),
  strategy: optional(strategy),
  codec: optional(codec),
  batchSize: integer(1, 1_000_000),
  shards: integer(1, 1024),
  epochs: integer(1, 1_000_000),
  steps: optional(integer(1, 1_000_000_000)),
  validationShare: optional(belowOne),
  seed: integer(0, 4_294_967_295),
});
