import type { Recipe } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { smallRecipe, startSmallRun } from '../harness/small-run.ts';

const recipe: Recipe = {
  ...smallRecipe,
  epochs: 4,
  codec: { gradients: { type: 'top-k', shards: 2, share: 0.1, feedbackSteps: 4 }, weights: 'bfloat16' },
};

async function hashOf(of: Recipe, threads: readonly number[], verify = 0): Promise<string> {
  await using run = await startSmallRun(of, undefined, { verify });
  for (const [n, count] of threads.entries()) run.work({ name: `worker-${n}`, threads: count });
  const { summary } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', exact: true });
  return summary.weightsSha256;
}

test('any number of workers and threads gives the same bits, others than without feedback', async () => {
  const hash = await hashOf(recipe, [1]);
  for (const threads of [[1, 1], [1, 1, 1], [2, 1]]) expect(await hashOf(recipe, threads)).toBe(hash);
  expect(await hashOf(recipe, [1, 1, 1], 0.3)).toBe(hash);
  const without: Recipe = { ...recipe, codec: { gradients: { type: 'top-k', shards: 2, share: 0.1 }, weights: 'bfloat16' } };
  expect(await hashOf(without, [1])).not.toBe(hash);
});
