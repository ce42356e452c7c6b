import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSnapshots, weightsSha256 } from '@gradwire/checkpoint';
import { startThreadPool } from '@gradwire/worker/thread-pool';
import { expect, test } from 'vitest';
import { lie } from '../harness/liar.ts';
import { smallRecipe, type SmallRun, startSmallRun } from '../harness/small-run.ts';

const recipe = { ...smallRecipe, epochs: 20 };

/** Starts honest workers when a liar is there, so fast that little of the run is over. */
async function workBeside(run: SmallRun, names: readonly string[]): Promise<void> {
  const pools = await Promise.all(names.map(() => startThreadPool('wasm', 1)));
  const prepared = (): number => run.events.filter(({ type }) => type === 'worker-prepared').length;
  await run.event(() => prepared() > 0);
  for (const [i, name] of names.entries()) run.work({ name, starting: Promise.resolve(pools[i]!) });
  await run.event(() => prepared() > names.length);
}

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
  await workBeside(run, ['ada', 'bob']);
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
  for (const { what, workers } of incidents)
    if (what !== 'clock-jumped') expect(workers).toContain('mallory');
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
  await workBeside(run, ['ada', 'bob']);
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

test('a run that is stopped while it goes back stops where it goes back to', async () => {
  for (let attempt = 1; attempt <= 20; attempt += 1) {
    await using run = await startSmallRun({ ...smallRecipe, epochs: 100 }, undefined, {
      verify: 0.3,
      snapshotEvery: 5,
    });
    let isTempted = false;
    const liar = lie(run, 'mallory', ({ gradient }) => {
      if (isTempted) gradient.fill(1);
      return isTempted;
    });
    await workBeside(run, ['ada', 'bob']);
    // By then something of it is verified, and a snapshot lies behind that.
    const now = run.coordinator.status().round?.version ?? 0;
    await run.event((event) => event.type === 'step' && event.record.step > now + 60);
    isTempted = true;
    await run.event((event) => event.type === 'worker-left' && event.why === 'expelled');
    run.coordinator.stop();
    const { outcome, summary } = await run.coordinator.done;
    await liar;
    const store = openSnapshots(run.directory);
    const [newest] = await store.steps();
    // The first lie was found out at once.
    if (newest === undefined || run.events.every(({ type }) => type !== 'rolled-back')) continue;
    const { weights } = await store.read(newest);
    const expected = { outcome: 'stopped', steps: newest, weightsSha256: weightsSha256(weights) };
    expect({ outcome, steps: summary.steps, weightsSha256: summary.weightsSha256 }).toEqual(expected);
    return;
  }
  expect.fail('no run of twenty went back to a snapshot');
});
