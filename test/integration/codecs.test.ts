import { readModel, type StoredModel } from '@gradwire/checkpoint';
import { parameterLayout } from '@gradwire/models';
import { canonicalJson, type CodecSpec, type Recipe } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { smallRecipe, startSmallRun } from '../harness/small-run.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

const codecs: CodecSpec[] = [
  { gradients: { type: 'bfloat16' }, weights: 'bfloat16' },
  { gradients: { type: 'float16', shards: 1 }, weights: 'float16' },
  { gradients: { type: 'top-k', shards: 2, share: 0.25 }, weights: 'bfloat16' },
  // One group holds all seven shards.
  { gradients: { type: 'int8', shards: 8 }, weights: 'float16' },
];

/** The model after a run with workers of so many threads each. */
async function train(recipe: Recipe, threads: readonly number[]): Promise<StoredModel> {
  await using run = await startSmallRun(recipe);
  for (const [n, count] of threads.entries()) run.work({ name: `worker-${n}`, threads: count });
  const { summary } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', exact: true });
  return await readModel(summary.directory);
}

async function hashOf(recipe: Recipe, threads: readonly number[]): Promise<string> {
  const { weightsSha256 } = await train(recipe, threads);
  return weightsSha256;
}

test.each(codecs.map((codec) => [canonicalJson(codec), codec] as const))(
  '%s: any number of workers and threads gives the same bits, others than float32',
  async (_, codec) => {
    const recipe = { ...smallRecipe, codec };
    const hash = await hashOf(recipe, [1]);
    for (const threads of [
      [1, 1, 1],
      [2, 1],
    ])
      expect(await hashOf(recipe, threads)).toBe(hash);
    expect(hash).not.toBe(await hashOf(smallRecipe, [1]));
  },
);

/** What the first normalisation sees are the samples, whatever the weights: its averages tell whether sums arrived. */
const normalised: Recipe = {
  ...smallRecipe,
  model: {
    name: 'normalised',
    inputShape: [4, 4, 1],
    layers: [
      { type: 'flatten' },
      { type: 'batchNormalization' },
      { type: 'dense', units: 5 },
      { type: 'batchNormalization' },
      { type: 'activation', activation: 'relu' },
      { type: 'dense', units: 3 },
    ],
  },
};

/** Moving mean and variance of the first normalisation. */
function averages({ layout, weights }: StoredModel): Float32Array[] {
  return layout.parameters
    .filter(({ name }) => name.startsWith('batch_normalization_1/moving_'))
    .map(({ offset, size }) => weights.slice(offset, offset + size));
}

test.each<NonNullable<CodecSpec['gradients']>>([
  { type: 'int8', shards: 4 },
  { type: 'top-k', shards: 2, share: 0.05 },
  { type: 'top-k', shards: 2, share: 0.05, feedbackSteps: 4 },
])(
  'batch normalisation with %o: equal bits for one and three workers, and exact averages',
  async (gradients) => {
    const recipe: Recipe = { ...normalised, codec: { gradients } };
    const [one, three, plain] = [
      await train(recipe, [1]),
      await train(recipe, [1, 1, 1]),
      await train(normalised, [1]),
    ];
    expect(three.weightsSha256).toBe(one.weightsSha256);
    expect(one.weightsSha256).not.toBe(plain.weightsSha256);
    expect(averages(plain)).toHaveLength(2);
    expect(averages(one)).toEqual(averages(plain));
  },
);

test('diloco with a codec: one worker and three give the same bits', async () => {
  const recipe: Recipe = {
    ...smallRecipe,
    strategy: { type: 'diloco', localSteps: 3 },
    codec: { gradients: { type: 'int8' }, weights: 'bfloat16' },
  };
  expect(await hashOf(recipe, [1, 1, 1])).toBe(await hashOf(recipe, [1]));
});

test('asynchronous with a codec: every gradient is coded, and it learns', async () => {
  const codec: CodecSpec = { gradients: { type: 'int8', shards: 8 }, weights: 'bfloat16' };
  const strategy = { type: 'asynchronous', maxStaleness: 2 } as const;
  await using run = await startSmallRun({ ...smallRecipe, strategy, codec, epochs: 4 });
  for (const name of ['ada', 'bob']) run.work({ name });
  const { summary } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', steps: 44, samplesSeen: 4 * 203 });
  expect(summary.testAccuracy).toBeGreaterThan(0.9);
});

test('a worker lost on the way never shows', async () => {
  const recipe: Recipe = { ...smallRecipe, epochs: 4, codec: { gradients: { type: 'int8', shards: 4 } } };
  await using run = await startSmallRun(recipe);
  const leave = new AbortController();
  const goes = run.work({ name: 'goes', signal: leave.signal });
  await run.event(({ type }) => type === 'step');
  run.work({ name: 'stays' });
  await run.event((event) => event.type === 'step' && event.record.step > 3);
  leave.abort('gone');
  await goes.outcome;
  const { summary } = await run.coordinator.done;
  expect(summary.weightsSha256).toBe(await hashOf(recipe, [1]));
});

test('a group is sent in its codec, and so are the weights', async () => {
  // Fewer than an epoch has: in its last step only some of the shards have samples.
  const steps = 10;
  const model = {
    name: 'wide',
    inputShape: [4, 4, 1],
    layers: [
      { type: 'flatten' },
      { type: 'dense', units: 5_000, activation: 'relu' },
      { type: 'dense', units: 3 },
    ],
  } as const;
  const codec: CodecSpec = { gradients: { type: 'int8', shards: 8 }, weights: 'bfloat16' };
  await using run = await startSmallRun({ ...smallRecipe, model, codec, steps });
  await using proxy = await startTcpProxy(run.coordinator.port);
  await run.work({ url: `ws://127.0.0.1:${proxy.port}` }).outcome;
  const { size } = parameterLayout(model);
  // A byte, and a scale for every 256 of them.
  expect(proxy.bytes.up / (size * (1 + 4 / 256))).toBeCloseTo(steps, 0);
  // Once more for the evaluation.
  expect(proxy.bytes.down / (2 * size)).toBeCloseTo(steps + 1, 0);
});
