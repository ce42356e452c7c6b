import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { goBack } from './go-back.ts';
import { openStorage, type RunStorage } from './open-storage.ts';
import { contributedUntil } from './resume-point.ts';
import { createWorld, plan, stored, worker } from './test-support.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-back-'));
});
afterEach(() => rm(folder, { recursive: true }));

const stepsIn = async (name: string): Promise<number[]> =>
  (await readFile(join(folder, 'wrong', name), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type?: string; step: number })
    .filter(({ type = 'step' }) => type === 'step')
    .map(({ step }) => step);

test.each([
  [0, 0],
  [3, 2],
  [7, 6],
])(
  'wrong numbers after step %i: the run goes on after step %i, and ends as a calm one',
  async (step, left) => {
    for (const name of ['calm', 'wrong']) await mkdir(join(folder, name));
    const calm = await createWorld(join(folder, 'calm'));
    calm.go(99);
    await calm.snapshots.settled();
    await calm.storage.recorder.close();

    const world = await createWorld(join(folder, 'wrong'));
    const evaluations = step > 4 ? 1 : 0;
    for (let round = 0; round < step + evaluations; round += 1) {
      world.go(1);
      await world.snapshots.settled();
    }
    world.go(1, 0.5);
    await world.snapshots.settled();
    const { run, storage, snapshots } = world;
    expect(
      await goBack({ plan, run, storage, snapshots }, { type: 'roll-back', step, worker, unverified: [] }),
    ).toBe(left);
    expect((await storage.store.steps()).every((each) => each <= step)).toBe(true);
    world.go(99);
    await snapshots.settled();
    await storage.recorder.close();
    storage.claim.close();
    calm.storage.claim.close();
    expect(world.events.filter(({ type }) => type === 'problem')).toEqual([]);
    expect(world.ends).toMatchObject([{ outcome: 'finished' }]);
    expect(run.engine.weights()).toEqual(calm.run.engine.weights());
    const all = [1, 2, 3, 4, 5, 6, 7, 8];
    expect([await stepsIn('metrics.jsonl'), await stepsIn('ledger.jsonl')]).toEqual([all, all]);
    expect(storage.recorder.curve).toEqual(calm.storage.recorder.curve);
  },
);

test('a coordinator that dies after it has decided to go back is resumed before the wrong steps', async () => {
  const directory = join(folder, 'wrong');
  await mkdir(directory);
  const { storage, snapshots, events, go } = await createWorld(directory);
  for (let round = 0; round < 8; round += 1) {
    go(1);
    await snapshots.settled();
  }
  expect(await storage.store.steps()).toContain(6);
  await storage.claim.goBack(3);
  await storage.recorder.close();
  storage.claim.close();

  const resume = async (): Promise<RunStorage> => {
    const again = await openStorage({ ...stored, directory, resume: true, onProblem: () => undefined });
    await again.recorder.close();
    again.claim.close();
    return again;
  };
  const { point, store, recorder } = await resume();
  expect([point?.snapshot?.record.step, recorder.steps, await store.steps()]).toEqual([2, 2, [2]]);
  expect((await resume()).claim.goBackTo).toBeUndefined();
  expect(events.filter(({ type }) => type === 'problem')).toEqual([]);
});

test('a snapshot of any moment has the lines of its own step', async () => {
  const directory = join(folder, 'calm');
  await mkdir(directory);
  const { storage, snapshots, go } = await createWorld(directory);
  go(3);
  snapshots.take();
  await snapshots.settled();
  const [newest] = await storage.store.steps();
  const { record } = await storage.store.read(newest!);
  expect([record.step, record.lastRound?.version]).toEqual([3, 2]);
  await storage.recorder.close();
  storage.claim.close();
});

test('a run that goes on knows whose sums its steps and its evaluations used, in order', async () => {
  const directory = join(folder, 'calm');
  await mkdir(directory);
  const before = await createWorld(directory);
  before.go(6);
  before.snapshots.take();
  await before.snapshots.settled();
  await before.storage.recorder.close();
  before.storage.claim.close();
  const { storage } = await createWorld(directory, { resume: true });
  const contributed = contributedUntil(storage.point);
  expect(contributed.map(({ step }) => step)).toEqual([1, 2, 3, 4, 4, 5]);
  expect(contributed[4]?.contributions).toMatchObject([{ worker, lo: 0, hi: 1, samples: 4 }]);
  expect(storage.recorder.evaluations).toEqual(before.storage.recorder.evaluations);
  await storage.recorder.close();
  storage.claim.close();
});
