import { prepareBackend, probeBackends } from '@gradwire/backend';
import { createShardOrder } from '@gradwire/data';
import { initialWeights } from '@gradwire/models';
import { featureStatistics } from '@gradwire/preprocess';
import { type Recipe, recipes } from '@gradwire/recipes';
import { createBatcher, createTrainer, type GradientSum, type Trainer } from '@gradwire/training';
import { expect, test } from 'vitest';
import { readMnist } from '../harness/mnist.ts';
import { relativeDifference } from '../harness/relative-difference.ts';

const native = (await probeBackends()).find(({ name }) => name === 'native');
if (!native?.ok) console.log(`wasm is not compared with native here: ${native?.reason}`);
const { train, test: testSet } = await readMnist();

interface Answers extends GradientSum {
  readonly trainer: Trainer;
  readonly evaluation: Float64Array;
}

/** One micro-batch of real digits, whose background makes the maxima of pooling ties. */
async function compute(backend: 'wasm' | 'native', recipe: Recipe): Promise<Answers> {
  await prepareBackend(backend);
  const { shards, seed } = recipe;
  const trainer = createTrainer({ recipe });
  trainer.setWeights(initialWeights(recipe.model, seed));
  const batcher = createBatcher(recipe, featureStatistics(train));
  const order = createShardOrder({ count: train.count, shards, seed });
  const indices = order.microBatch({ epoch: 0, step: 0, batchSize: recipe.batchSize, shard: 0 });
  const evaluation = trainer.evaluate(
    batcher(
      testSet,
      Uint32Array.from({ length: 100 }, (_, i) => i),
    ),
  );
  return { trainer, ...trainer.gradient(batcher(train, indices), { step: 0, shard: 0 }), evaluation };
}

// oneDNN's filter gradient adds all positions in one float32: where the terms cancel, as those of this network's first
// layer do, it is off by 2e-4. TensorFlow's public operation (`GRADWIRE_NATIVE_OPERATIONS=public`) is not.
const tolerances: Readonly<Record<string, number>> = { 'mnist-separable': 3e-4 };
const compared = recipes.map((recipe) => ({
  recipe,
  name: recipe.name,
  tolerance: tolerances[recipe.name] ?? 1e-4,
}));

test.runIf(native?.ok).each(compared)(
  '$name: the gradients of wasm and native agree to $tolerance',
  async ({ recipe, tolerance }) => {
    const [wasm, other] = [await compute('wasm', recipe), await compute('native', recipe)];
    const { layout } = wasm.trainer;
    expect(relativeDifference(layout, wasm.gradient, other.gradient)).toBeLessThan(tolerance);
    expect((other.metrics[0] ?? 0) / (wasm.metrics[0] ?? 0)).toBeCloseTo(1, 5);
    expect(other.evaluation.length).toBe(wasm.evaluation.length);
    expect((other.evaluation[0] ?? 0) / (wasm.evaluation[0] ?? 0)).toBeCloseTo(1, 5);
    wasm.trainer.dispose();
    other.trainer.dispose();
  },
);
