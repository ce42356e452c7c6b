import { createShardOrder, microBatchSize } from '@gradwire/data';
import { createEngine, type EngineEffect, type EnginePlan, type WorkerId } from '@gradwire/engine';
import { initialWeights } from '@gradwire/models';
import { featureStatistics } from '@gradwire/preprocess';
import { decodeMessage, encodeMessage, type Message, messageLimits } from '@gradwire/protocol';
import type { Recipe } from '@gradwire/recipes';
import { type Batch, createBatcher, createTrainer, runLocalSteps, type Trainer } from '@gradwire/training';
import { leavesOfPass } from '@gradwire/worker';
import type { Splits } from '@gradwire/coordinator';
import type { Costs } from './predict-step.ts';

const warmUps = 8;
const repetitions = 15;
/** Short tasks are repeated for as long, at least: compilers take their time. */
const leastMs = 250;
const localBatches = 4;

/** Measures this machine on one core, on the backend that is ready, with the recipe's network, data and shards. */
export function measureCosts(recipe: Recipe, { train }: Splits): Costs {
  const trainer = createTrainer({ recipe });
  const weights = initialWeights(recipe.model, recipe.seed);
  trainer.setWeights(weights);
  const batchOf = createBatches(recipe, train);
  try {
    return {
      gradientMs: meanMs(() => trainer.gradient(batchOf(1))),
      ...passCosts(trainer, recipe, batchOf),
      localStepMs: meanMs(() => localSteps(trainer, recipe, batchOf)) / localBatches,
      ...messageCosts(trainer, weights),
      ...coordinatorCosts(recipe, trainer, weights),
    };
  } finally {
    trainer.dispose();
  }
}

/** As many shards in one pass as a worker would take. */
function passCosts(trainer: Trainer, recipe: Recipe, batchOf: Batches): Pick<Costs, 'pass'> {
  const most = Math.min(leavesOfPass(recipe), recipe.shards);
  if (!trainer.takesParts() || most < 2) return {};
  const leaves = 2 ** Math.floor(Math.log2(most));
  return { pass: { leaves, ms: meanMs(() => trainer.gradient(batchOf(leaves))) } };
}

function localSteps(trainer: Trainer, recipe: Recipe, batchOf: Batches): void {
  const batches = Array.from({ length: localBatches }, (_, localStep) => ({ localStep, batch: batchOf(1) }));
  runLocalSteps(
    { trainer, recipe, shard: 0, position: { step: 0, totalSteps: 100, stepsPerEpoch: 100 } },
    batches,
  );
}

/** Micro-batches of the first shard that have samples, each time the next ones: a batch of one, or with as many parts. */
type Batches = (parts: number) => Batch;

function createBatches(recipe: Recipe, train: Splits['train']): Batches {
  const { shards, seed } = recipe;
  const { count } = train;
  const indices = Uint32Array.from({ length: count }, (_, i) => i);
  const batcher = createBatcher(recipe, featureStatistics({ ...train, indices }));
  const order = createShardOrder({ count, shards, seed });
  const batchSize = Math.min(recipe.batchSize, count);
  const inStep = (step: number): Uint32Array => order.microBatch({ epoch: 0, step, batchSize, shard: 0 });
  // With fewer samples in a batch than shards most steps have none of this one; the first step always has.
  const steps = Array.from({ length: Math.floor(count / batchSize) }, (_, step) => step);
  const filled = steps.filter((step) => microBatchSize({ count, shards, batchSize, step, shard: 0 }) > 0);
  let next = 0;
  const microBatch = (): Uint32Array => inStep(filled[next++ % filled.length]!);
  return (count) => {
    if (count === 1) return batcher(train, microBatch());
    const samples = Array.from({ length: count }, microBatch);
    const all = Uint32Array.from(samples.flatMap((positions) => [...positions]));
    return { ...batcher(train, all), parts: samples.map(({ length }) => length) };
  };
}

function messageCosts(
  trainer: Trainer,
  weights: Float32Array,
): Pick<Costs, 'receiveMs' | 'sendMs' | 'publishMs'> {
  const message: Message = { type: 'weights', version: 0, values: weights };
  const frame = encodeMessage(message);
  const limits = messageLimits({ role: 'coordinator' });
  const partial = partialOf(0, weights);
  return {
    receiveMs: meanMs(() => {
      const { values } = decodeMessage(frame, limits) as typeof message;
      trainer.setWeights(values);
    }),
    sendMs: meanMs(() => encodeMessage(partial)),
    publishMs: meanMs(() => encodeMessage(message)),
  };
}

function partialOf(round: number, gradient: Float32Array, leaf = 0): Extract<Message, { type: 'partial' }> {
  const metrics = new Float64Array(2);
  return {
    type: 'partial',
    term: 1,
    round,
    lo: leaf,
    hi: leaf + 1,
    samples: 1,
    computeMs: 1,
    gradient,
    metrics,
  };
}

/** Steps of a real engine with two shards: the first partial is added, the second completes the step. */
function coordinatorCosts(
  recipe: Recipe,
  { layout }: Trainer,
  initial: Float32Array,
): Pick<Costs, 'addMs' | 'commitMs'> {
  const { optimizer, schedule } = recipe;
  const plan: EnginePlan = {
    layout,
    initialWeights: initial,
    optimizer,
    schedule,
    shards: 2,
    stepsPerEpoch: 1000,
    totalSteps: 1000,
    classes: 1,
    stepSamples: () => [1, 1],
    evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [1] } },
  };
  const engine = createEngine(plan);
  const worker = 'w' as WorkerId;
  engine.start(0);
  engine.handle({ atMs: 0, type: 'worker-joined', worker });
  engine.handle({ atMs: 0, type: 'worker-ready', worker, numericsClass: 'n' });
  engine.handle({ atMs: 0, type: 'worker-prepared', worker, shards: [0, 1] });
  const limits = messageLimits({ role: 'worker', parameters: layout.size });
  const small = new Float32Array(layout.size).fill(1e-6);
  const receive = (frame: Uint8Array): EngineEffect[] => {
    const partial = decodeMessage(frame, limits) as ReturnType<typeof partialOf>;
    return engine.handle({ atMs: 0, type: 'partial-arrived', worker, partial });
  };
  const adding: number[] = [];
  const both: number[] = [];
  for (let round = 0; round < warmUps + repetitions; round += 1) {
    const [first, last] = [0, 1].map((leaf) => encodeMessage(partialOf(round, small, leaf))) as [
      Uint8Array,
      Uint8Array,
    ];
    adding.push(timeMs(() => receive(first)));
    both.push(timeMs(() => receive(last)));
  }
  const addMs = mean(adding.slice(warmUps));
  return { addMs, commitMs: Math.max(0, mean(both.slice(warmUps)) - addMs) };
}

function meanMs(task: () => unknown): number {
  repeat(task, warmUps);
  return mean(repeat(task, repetitions));
}

function repeat(task: () => unknown, least: number): number[] {
  const times: number[] = [];
  const startMs = performance.now();
  while (times.length < least || performance.now() - startMs < leastMs) times.push(timeMs(task));
  return times;
}

function timeMs(task: () => unknown): number {
  const startMs = performance.now();
  task();
  return performance.now() - startMs;
}

// Not the median: garbage collection and other programs take their share of a step, too.
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
