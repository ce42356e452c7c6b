import { GradwireError } from '@gradwire/errors';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { withOutputs } from '@gradwire/models';
import { canonicalJson } from './canonical-json.ts';
import type { Recipe } from './recipe.ts';
import { recipeHash } from './recipe-hash.ts';
import { type CodecSpec, gradientCodec } from './codec.ts';
import type { Strategy } from './strategy.ts';
import { validateRecipe } from './validate-recipe.ts';

const valid: Recipe = {
  name: 'mine',
  description: 'A small one.',
  dataset: 'mnist',
  features: { type: 'standardise' },
  model: {
    name: 'mine',
    inputShape: [28, 28, 1],
    layers: [
      { type: 'conv2d', filters: 4, kernelSize: 3 },
      { type: 'flatten' },
      { type: 'dense', units: 10 },
    ],
  },
  task: { type: 'multiclass', classes: 10, smoothing: 0.1 },
  optimizer: { type: 'sgd', momentum: 0.9, nesterov: true },
  schedule: { type: 'one-cycle', learningRate: 0.1, warmupSteps: 5 },
  batchSize: 32,
  shards: 4,
  epochs: 1,
  steps: 20,
  validationShare: 0.1,
  seed: 4_294_967_295,
};

test('a valid recipe comes back as an equal copy', () => {
  const copy = validateRecipe(valid);
  expect(copy).toEqual(valid);
  expect(copy).not.toBe(valid);
});

test('every type of layer is known, with all its settings', () => {
  const layers = [
    {
      type: 'conv2d',
      filters: 4,
      kernelSize: 3,
      strides: 1,
      padding: 'same',
      useBias: false,
      activation: 'linear',
    },
    { type: 'batchNormalization', momentum: 0.9, epsilon: 0.01 },
    { type: 'activation', activation: 'relu' },
    { type: 'depthwiseConv2d', kernelSize: 3, depthMultiplier: 2, useBias: true },
    { type: 'averagePooling2d', poolSize: 2, strides: 1, padding: 'same' },
    { type: 'maxPooling2d', poolSize: 2 },
    { type: 'dropout', rate: 0.5 },
    { type: 'globalAveragePooling2d' },
    { type: 'dense', units: 10, useBias: false },
  ];
  const recipe = { ...valid, model: { ...valid.model, layers } };
  expect(validateRecipe(recipe)).toEqual(recipe);
});

test.each<Strategy>([
  { type: 'synchronous' },
  { type: 'local-sgd', localSteps: 1 },
  { type: 'diloco', localSteps: 50, outerLearningRate: 1, outerMomentum: 0 },
  { type: 'asynchronous', maxStaleness: 0 },
])('the strategy $type is taken, and is part of the hash', async (strategy) => {
  expect(validateRecipe({ ...valid, strategy })).toEqual({ ...valid, strategy });
  expect(await recipeHash({ ...valid, strategy })).not.toBe(await recipeHash(valid));
});

test.each<CodecSpec>([
  {},
  { weights: 'float16' },
  { gradients: { type: 'int8', shards: 4 }, weights: 'bfloat16' },
  { gradients: { type: 'top-k', share: 0.01 } },
])('codecs are taken, and are part of the hash: %o', async (codec) => {
  expect(validateRecipe({ ...valid, codec })).toEqual({ ...valid, codec });
  expect(await recipeHash({ ...valid, codec })).not.toBe(await recipeHash(valid));
});

test('a gradient codec is completed: half of the shards, or a power of two below, are coded as one', () => {
  const gradients = { type: 'int8' } as const;
  const groups = [1, 2, 3, 7, 8, 1024].map(
    (shards) => gradientCodec({ shards, codec: { gradients } })?.shards,
  );
  expect(groups).toEqual([1, 1, 1, 2, 4, 512]);
  const topK = { type: 'top-k', shards: 2 } as const;
  expect(gradientCodec({ shards: 8, codec: { gradients: topK } })).toEqual({
    codec: 'top-k',
    shards: 2,
    share: 0.1,
  });
  expect(gradientCodec({ shards: 8, codec: { weights: 'float16' } })).toBeUndefined();
});

/** What is changed, and the line that must appear. */
const faults: [string, object, string][] = [
  ['epoch count', { epochs: 0 }, 'epochs: expected a whole number from 1 to 1,000,000, found 0'],
  [
    'text for a number',
    { batchSize: '128' },
    'batchSize: expected a whole number from 1 to 1,000,000, found "128"',
  ],
  ['fraction', { shards: 2.5 }, 'shards: expected a whole number from 1 to 1,024, found 2.5'],
  ['NaN', { l2: Number.NaN }, 'l2: expected a number of at least 0, found NaN'],
  ['infinity', { clipNorm: Infinity }, 'clipNorm: expected a number above 0, found Infinity'],
  [
    'smoothing of 1',
    { task: { ...valid.task, smoothing: 1 } },
    'task.smoothing: expected a number from 0 to below 1, found 1',
  ],
  ['share of 1', { validationShare: 1 }, 'validationShare: expected a number from 0 to below 1, found 1'],
  ['negative seed', { seed: -1 }, 'seed: expected a whole number from 0 to 4,294,967,295, found -1'],
  [
    '33-bit seed',
    { seed: 2 ** 32 },
    'seed: expected a whole number from 0 to 4,294,967,295, found 4294967296',
  ],
  [
    'path as a name',
    { name: '../x' },
    'name: expected lower-case words joined by hyphens, at most 64 letters, found "../x"',
  ],
  [
    'two-line text',
    { description: 'a\nb' },
    'description: expected one line of 1 to 200 letters, found "a\\nb"',
  ],
  ['no object', { task: 7 }, 'task: expected an object, found 7'],
  [
    'missing setting',
    { task: { type: 'multiclass' } },
    'task.classes: expected a value, found none (the setting is missing)',
  ],
  [
    'unknown type',
    { optimizer: { type: 'adamm' } },
    'optimizer.type: expected "sgd" or "adam" or "adamw", found "adamm"',
  ],
  [
    'setting of another type',
    { optimizer: { type: 'adam', weightDecay: 0.1 } },
    'optimizer.weightDecay: expected one of "type", "beta1", "beta2", "epsilon", found the unknown setting "weightDecay"',
  ],
  ['mistyped setting', { epoch: 3 }, 'found the unknown setting "epoch"; did you mean "epochs"?'],
  [
    'layer',
    { model: { ...valid.model, layers: [{ type: 'dense', units: 0 }] } },
    'model.layers[0].units: expected',
  ],
  [
    'no layers',
    { model: { ...valid.model, layers: [] } },
    'model.layers: expected a list of 1 to 256 items, found a list of 0',
  ],
  [
    'outputs',
    { task: { type: 'binary', positive: [7] } },
    'model.layers[2].units: expected 1 for this binary task, found 10',
  ],
  [
    'last layer',
    { model: { ...valid.model, layers: [{ type: 'flatten' }] } },
    'model.layers[0]: expected a dense layer at the end, found flatten',
  ],
  [
    'a dense layer on an image',
    { model: { ...valid.model, layers: [{ type: 'dense', units: 10 }] } },
    'model.layers[0]',
  ],
  [
    'a model too large to travel',
    {
      model: {
        ...valid.model,
        layers: [
          { type: 'flatten' },
          ...[65_536, 4_096, 10].map((units) => ({ type: 'dense', units }) as const),
        ],
      },
    },
    'model: expected at most 268,435,456 parameters, found 319,926,282',
  ],
  [
    'repeated label',
    { model: withOutputs(valid.model, 1), task: { type: 'binary', positive: [7, 7] } },
    'task.positive: expected each label once, found 7 twice',
  ],
  [
    'nesterov alone',
    { optimizer: { type: 'sgd', nesterov: true } },
    'optimizer.momentum: expected a momentum above 0 for nesterov, found none',
  ],
  [
    'rising cosine',
    { schedule: { type: 'cosine', learningRate: 0.1, finalLearningRate: 1 } },
    'schedule.finalLearningRate: expected at most learningRate (0.1), found 1',
  ],
  [
    'local steps left out',
    { strategy: { type: 'diloco' } },
    'strategy.localSteps: expected a value, found none (the setting is missing)',
  ],
  [
    'local steps of a strategy without',
    { strategy: { type: 'asynchronous', maxStaleness: 1, localSteps: 2 } },
    'strategy.localSteps: expected one of "type", "maxStaleness", found the unknown setting "localSteps"',
  ],
  [
    'outer momentum',
    { strategy: { type: 'diloco', localSteps: 2, outerMomentum: 1 } },
    'strategy.outerMomentum: expected a number from 0 to below 1, found 1',
  ],
  [
    'warm-up in local steps',
    { steps: 2, strategy: { type: 'local-sgd', localSteps: 2 } },
    'schedule.warmupSteps: expected fewer than steps times localSteps (4), found 5',
  ],
  [
    'a codec for groups of three',
    { codec: { gradients: { type: 'int8', shards: 3 } } },
    'codec.gradients.shards: expected a power of two from 1 to 1,024, found 3',
  ],
  [
    'the share of a codec without',
    { codec: { gradients: { type: 'int8', share: 0.1 } } },
    'codec.gradients.share: expected one of "type", "shards", found the unknown setting "share"',
  ],
  [
    'a share of all',
    { codec: { gradients: { type: 'top-k', share: 1 } } },
    'codec.gradients.share: expected a number above 0, up to 0.5, found 1',
  ],
  [
    'error feedback of a codec without',
    { codec: { gradients: { type: 'int8', feedbackSteps: 8 } } },
    'codec.gradients.feedbackSteps: expected one of "type", "shards", found the unknown setting "feedbackSteps"',
  ],
  [
    'error feedback of steps in any order',
    {
      codec: { gradients: { type: 'top-k', feedbackSteps: 8 } },
      strategy: { type: 'asynchronous', maxStaleness: 1 },
    },
    'codec.gradients.feedbackSteps: expected steps in order, found the strategy asynchronous',
  ],
  [
    'error feedback of shards without samples',
    { codec: { gradients: { type: 'top-k', feedbackSteps: 8 } }, batchSize: 1 },
    'batchSize: expected at least one sample a shard',
  ],
  [
    'weights in 8 bits',
    { codec: { weights: 'int8' } },
    'codec.weights: expected "bfloat16" or "float16", found "int8"',
  ],
  ['warm-up', { steps: 5 }, 'schedule.warmupSteps: expected fewer than steps (5), found 5'],
];

test.each(faults)('%s: path, expected and found are named', (_, change, line) => {
  expect(messageOf({ ...valid, ...change })).toContain(line);
});

test('several faults are told at once', () => {
  const lines = messageOf({ ...valid, epochs: -1, seed: 'x', shards: null }).split('\n');
  expect(lines).toHaveLength(4);
});

test('keys that could reach a prototype are refused', () => {
  const text = JSON.stringify(valid).replace('{', '{"__proto__":{"steps":1},');
  expect(messageOf(JSON.parse(text))).toContain('unknown setting "__proto__"');
});

test('anything else is refused with an error of ours, never another', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (value) => {
      expect(() => validateRecipe(value)).toThrow(GradwireError);
    }),
    { seed: 1 },
  );
});

test('one wrong value anywhere is found', () => {
  const keys = Object.keys(valid).filter((key) => key !== 'steps');
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.constantFrom(null, -1, '', [], {}), (key, value) => {
      expect(messageOf({ ...valid, [key]: value })).toContain(key);
    }),
    { seed: 1 },
  );
});

function messageOf(value: unknown): string {
  try {
    validateRecipe(value);
  } catch (error) {
    expect(error).toMatchObject({ code: 'RECIPE_INVALID' });
    return (error as GradwireError).message;
  }
  throw new Error('the recipe was accepted');
}

const code = (): number => 1;

test('code is no recipe: a function is refused, wherever it stands', () => {
  for (const changed of [
    { ...valid, seed: code },
    { ...valid, onStep: code },
    { ...valid, schedule: { ...valid.schedule, learningRate: code } },
    { ...valid, toJSON: code },
  ]) {
    expect(() => validateRecipe(changed)).toThrow(GradwireError);
    expect(() => canonicalJson(changed)).toThrow(/plain data, found a function/);
  }
});
