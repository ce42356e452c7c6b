import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { probeBackends } from '@gradwire/backend';
import { expect, test } from 'vitest';
import { smallData, smallRecipe, startSmallRun } from '../harness/small-run.ts';

test('coordinator and two workers over sockets: data fetched, model trained, all files written', async () => {
  await using run = await startSmallRun();
  const workers = [run.work({ name: 'ada' }), run.work({ name: 'bob' })];
  const { summary, files } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', epochs: 2, steps: 22, samplesSeen: 406, exact: true });
  expect(summary.testAccuracy).toBeGreaterThan(0.9);
  expect(summary.confusion?.flat().reduce((sum, n) => sum + n, 0)).toBe(45);
  for (const { outcome, events } of workers) {
    expect(await outcome).toMatchObject({ outcome: 'finished' });
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['joined', 'ready', 'ended']));
  }
  const leases = summary.workers.reduce((sum, worker) => sum + worker.leases, 0);
  expect(leases).toBe(22 * 7 - 2 * emptyLeases);
  for (const file of files) expect((await readFile(file)).length, file).toBeGreaterThan(0);
  expect(JSON.parse(await readFile(join(run.directory, 'recipe.json'), 'utf8'))).toEqual(smallRecipe);
});

/** 203 samples: the last step of an epoch has 3 samples, so 4 of the 7 shards have nothing in it. */
const emptyLeases = 4;

test('one, two and five workers give the same bits', async () => {
  const hashes: string[] = [];
  for (const count of [1, 2, 5]) {
    await using run = await startSmallRun();
    for (let n = 1; n <= count; n += 1) run.work({ name: `worker-${n}` });
    hashes.push((await run.coordinator.done).summary.weightsSha256);
  }
  expect(new Set(hashes).size, hashes.join('\n')).toBe(1);
});

test('another seed gives other bits', async () => {
  await using one = await startSmallRun();
  await using two = await startSmallRun({ ...smallRecipe, seed: 4 });
  one.work();
  two.work();
  const [first, second] = await Promise.all([one.coordinator.done, two.coordinator.done]);
  expect(first.summary.weightsSha256).not.toBe(second.summary.weightsSha256);
});

test('two workers with one name are told apart', async () => {
  await using run = await startSmallRun({ ...smallRecipe, epochs: 1e6 });
  run.work({ name: 'a b' });
  run.work({ name: 'a b' });
  const names = (): string[] =>
    run.events.flatMap((event) => (event.type === 'worker-joined' ? [event.worker] : []));
  await run.event(() => names().length === 2);
  expect(names()).toEqual(['a-b', 'a-b-2']);
});

test('validation samples are held out, and evaluated after each epoch', async () => {
  await using run = await startSmallRun({ ...smallRecipe, validationShare: 0.1 });
  run.work();
  const { summary } = await run.coordinator.done;
  expect(summary.samplesSeen).toBe(2 * (203 - 20));
  const evaluated = run.events.flatMap((event) => (event.type === 'evaluated' ? [event.record] : []));
  expect(evaluated.map(({ split, samples }) => [split, samples])).toEqual([
    ['validation', 20],
    ['validation', 20],
    ['test', 45],
  ]);
});

test('the status answers whoever has the token, and nobody else', async () => {
  await using run = await startSmallRun({ ...smallRecipe, epochs: 1e6 });
  const { port, token } = run.coordinator;
  const get = (path: string, bearer?: string): Promise<Response> =>
    fetch(
      `http://127.0.0.1:${port}${path}`,
      bearer ? { headers: { authorization: `Bearer ${bearer}` } } : {},
    );
  const open = await get('/status', token);
  expect(open.headers.get('content-type')).toBe('application/json');
  expect(await open.json()).toMatchObject({
    waitingFor: 'workers',
    waiting: 'step 1 waits for a worker to join: none is connected',
    workers: [],
  });
  for (const response of [await get('/status'), await get('/status', `${token}x`), await get('/data/00')]) {
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('join token');
  }
  expect((await get('/nowhere', token)).status).toBe(404);
  run.work({ name: 'ada' });
  await run.event(({ type }) => type === 'worker-ready');
  const { workers } = (await (await get('/status', token)).json()) as { workers: object[] };
  expect(workers).toMatchObject([{ worker: 'ada', backend: 'wasm' }]);
});

const native = (await probeBackends()).find(({ name }) => name === 'native');
if (!native?.ok) console.log(`mixed backends are not tested here: ${native?.reason}`);

test.runIf(native?.ok)('workers of two backends: the run says that it is not exact, and why', async () => {
  await using run = await startSmallRun({ ...smallRecipe, epochs: 1e6 });
  const wasm = run.work({ name: 'ada' });
  await run.event(({ type }) => type === 'worker-ready');
  expect(wasm.events.some(({ type }) => type === 'ready')).toBe(true);
  const message = expect.stringMatching(/^bob computes as native-\w+, others as wasm-\w+/);
  run.work({ name: 'bob', backend: 'native' });
  expect(await run.event(({ type }) => type === 'inexact')).toMatchObject({ reason: message });
});

test('a data set that does not fit the recipe is refused before anything listens', async () => {
  const odd = { ...smallRecipe, task: { type: 'multiclass', classes: 4 } } as const;
  await expect(startSmallRun(odd, smallData())).rejects.toMatchObject({
    code: 'RECIPE_INVALID',
    message: expect.stringContaining('the task has 4 classes, but small has 3'),
  });
});
