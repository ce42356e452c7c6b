import type { Strategy } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { type SmallRun, smallRecipe, startSmallRun } from '../harness/small-run.ts';

const localStrategies: Strategy[] = [
  { type: 'local-sgd', localSteps: 4 },
  { type: 'diloco', localSteps: 3, outerLearningRate: 0.7, outerMomentum: 0.9 },
];

async function hashOf(run: SmallRun): Promise<string> {
  const { summary } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', exact: true, samplesSeen: 4 * 203 });
  return summary.weightsSha256;
}

test.each(localStrategies)('$type: any number of workers gives the same bits', async (strategy) => {
  const hashes: string[] = [];
  for (const count of [1, 2, 3]) {
    await using run = await startSmallRun({ ...smallRecipe, strategy, epochs: 4 });
    for (let n = 1; n <= count; n += 1) run.work({ name: `worker-${n}` });
    hashes.push(await hashOf(run));
    // 203 samples are 11 local steps an epoch: the last step of an epoch has fewer than the others.
    const steps = run.events.flatMap((event) => (event.type === 'step' ? [event.record.samples] : []));
    const whole = 20 * ('localSteps' in strategy ? strategy.localSteps : 1);
    const rest = 203 % whole;
    expect(steps.slice(0, steps.length / 4)).toEqual([
      ...Array.from({ length: Math.floor(203 / whole) }, () => whole),
      rest,
    ]);
  }
  expect(new Set(hashes).size, hashes.join('\n')).toBe(1);
});

test.each(localStrategies)('$type: a worker lost on the way never shows', async (strategy) => {
  const recipe = { ...smallRecipe, strategy, epochs: 4 };
  await using calm = await startSmallRun(recipe);
  calm.work();
  await using rough = await startSmallRun(recipe);
  const leave = new AbortController();
  rough.work({ name: 'stays' });
  rough.work({ name: 'goes', signal: leave.signal });
  await rough.event(({ type }) => type === 'step');
  leave.abort('gone');
  expect(await hashOf(rough)).toBe(await hashOf(calm));
  expect(rough.events).toContainEqual(expect.objectContaining({ type: 'worker-left', worker: 'goes' }));
});

test('asynchronous: learns, uses each sample once an epoch, and says that it is not exact', async () => {
  const strategy = { type: 'asynchronous', maxStaleness: 2 } as const;
  await using run = await startSmallRun({ ...smallRecipe, strategy, epochs: 4 });
  for (const name of ['ada', 'bob', 'cyd']) run.work({ name });
  const { summary } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', steps: 44, samplesSeen: 4 * 203 });
  expect(summary.exact).toContain('asynchronous');
  expect(summary.testAccuracy).toBeGreaterThan(0.9);
  const staleness = run.events.flatMap((event) =>
    event.type === 'step' ? [event.record.staleness ?? -1] : [],
  );
  expect(Math.min(...staleness)).toBe(0);
  expect(Math.max(...staleness)).toBeLessThanOrEqual(2);
});

test('local steps learn more from one step', async () => {
  const [few, many] = await Promise.all(
    [1, 8].map(async (localSteps) => {
      const strategy = { type: 'diloco', localSteps } as const;
      await using run = await startSmallRun({ ...smallRecipe, strategy, steps: 2, epochs: 9 });
      run.work();
      return (await run.coordinator.done).summary.testLoss ?? Number.NaN;
    }),
  );
  expect(many).toBeLessThan(few as number);
});
