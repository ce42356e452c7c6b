import { prepareBackend } from '@gradwire/backend';
import { createPlan, type Splits } from '@gradwire/coordinator';
import { initialWeights } from '@gradwire/models';
import { featureStatistics } from '@gradwire/preprocess';
import { type CodecSpec, findRecipe } from '@gradwire/recipes';
import { createBatcher, createTrainer } from '@gradwire/training';
import { beforeAll, expect, test } from 'vitest';
import { readMnist } from '../harness/mnist.ts';

const recipe = findRecipe('mnist-deep');
let data: Splits;
let gradient: Float32Array;

beforeAll(async () => {
  await prepareBackend('wasm');
  data = await readMnist();
  const trainer = createTrainer({ recipe });
  trainer.setWeights(initialWeights(recipe.model, recipe.seed));
  const batch = createBatcher(recipe, featureStatistics(data.train))(
    data.train,
    Uint32Array.from({ length: 32 }, (_, i) => i * 11),
  );
  gradient = trainer.gradient(batch, { step: 0, shard: 0 }).gradient.slice();
  trainer.dispose();
});

/** What the engine makes of the gradient, and which of its elements are trained. */
function coded(gradients: NonNullable<CodecSpec['gradients']>): { sent: Float32Array; trained: number[] } {
  const { coding, layout } = createPlan({ ...recipe, codec: { gradients } }, data);
  const trained = layout.parameters
    .filter(({ role }) => role !== 'statistic')
    .flatMap(({ offset, size }) => Array.from({ length: size }, (_, i) => offset + i));
  return { sent: coding!.code(gradient), trained };
}

test.each(['bfloat16', 'float16', 'int8', 'top-k'] as const)(
  '%s: means and variances come back with every bit',
  (type) => {
    const { sent, trained } = coded({ type });
    const isTrained = new Set(trained);
    const wrong = sent.findIndex((x, i) => !isTrained.has(i) && x !== gradient[i]);
    expect(wrong).toBe(-1);
    expect(sent).not.toEqual(gradient);
  },
);

test('int8: no gradient is off by more than 0.4 % of the largest in its block, beside statistics either', () => {
  const { sent, trained } = coded({ type: 'int8' });
  for (let start = 0; start < trained.length; start += 256) {
    const block = trained.slice(start, start + 256);
    const largest = Math.max(...block.map((i) => Math.abs(gradient[i]!)));
    const error = Math.max(...block.map((i) => Math.abs(sent[i]! - gradient[i]!)));
    expect(error).toBeLessThanOrEqual(0.004 * largest);
  }
});

test('top-k: statistics take no place among the largest', () => {
  const { sent, trained } = coded({ type: 'top-k', share: 0.01 });
  expect(trained.filter((i) => sent[i] !== 0)).toHaveLength(Math.ceil(0.01 * trained.length));
});
