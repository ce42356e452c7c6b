import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lie } from '../harness/liar.ts';
import { smallRecipe, startSmallRun } from '../harness/small-run.ts';

const recipe = { ...smallRecipe, epochs: 20 };

test('a worker that lies from some moment on: the run goes back to a snapshot before that, by itself', async () => {
  const long = { ...smallRecipe, epochs: 20 };
  await using calm = await startSmallRun(long);
  calm.work();
  const expected = (await calm.coordinator.done).summary.weightsSha256;

  await using run = await startSmallRun(long, undefined, { verify: 0.2, snapshotEvery: 10 });
  let isTempted = false;
  const liar = lie(run, 'mallory', ({ gradient, metrics }) => {
    if (!isTempted) return false;
    gradient.fill(1);
    metrics[0] = 1;
    return true;
  });
  for (const name of ['ada', 'bob']) run.work({ name });
  await run.event(() => run.events.filter(({ type }) => type === 'worker-prepared').length === 3);
  isTempted = true;

  const { summary, outcome } = await run.coordinator.done;
  await liar;
  expect({ outcome, weights: summary.weightsSha256 }).toEqual({ outcome: 'finished', weights: expected });
  const expelled = run.events.filter((event) => event.type === 'worker-left' && event.why === 'expelled');
  expect(expelled).toMatchObject([{ worker: 'mallory' }]);
  // The run went back; what is said of it did not.
  const incidents = (await readFile(join(run.directory, 'incidents.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { what: string; workers: string[] });
  const whats = incidents.map(({ what }) => what);
  expect(whats).toEqual(expect.arrayContaining(['answers-differ', 'settled', 'expelled']));
  expect(whats.filter((what) => what === 'rolled-back').length).toBe(
    run.events.filter(({ type }) => type === 'rolled-back').length,
  );
  for (const { workers } of incidents) expect(workers).toContain('mallory');
  expect(summary.incidents).toBe(incidents.length);
});

test('a worker that flips one bit in one contribution is put out by name; the weights are those of the calm run', async () => {
  await using calm = await startSmallRun(recipe);
  calm.work();
  const expected = (await calm.coordinator.done).summary.weightsSha256;

  await using run = await startSmallRun(recipe, undefined, { verify: 1 });
  let isTempted = false;
  const liar = lie(run, 'mallory', ({ gradient }) => {
    if (!isTempted || gradient.length === 0) return false;
    isTempted = false;
    new Uint32Array(gradient.buffer, gradient.byteOffset, 1)[0]! ^= 1;
    return true;
  });
  for (const name of ['ada', 'bob']) run.work({ name });
  const prepared = (): number => run.events.filter(({ type }) => type === 'worker-prepared').length;
  await run.event(() => prepared() === 3);
  isTempted = true;

  const { summary, outcome } = await run.coordinator.done;
  await liar;
  expect({ outcome, weights: summary.weightsSha256 }).toEqual({ outcome: 'finished', weights: expected });
  const left = run.events.find((event) => event.type === 'worker-left' && event.why === 'expelled');
  expect(left).toMatchObject({
    worker: 'mallory',
    reason: expect.stringContaining('computed other numbers'),
  });
  expect(run.events.filter((event) => event.type === 'worker-left' && event.why === 'expelled')).toHaveLength(
    1,
  );
});
