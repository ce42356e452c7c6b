import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EnginePlan, WorkerId } from '@gradwire/engine';
import { messageLimits } from '@gradwire/protocol';
import { recipes } from '@gradwire/recipes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codecsOf } from '../codecs.ts';
import type { CoordinatorEvent } from '../events.ts';
import { createProgress } from '../progress.ts';
import { createRun, type Run, type RunEnd } from '../run.ts';
import { createSessions, type Sessions } from '../sessions.ts';
import { goBack } from './go-back.ts';
import { openStorage, type RunStorage } from './open-storage.ts';
import { createSnapshots, type Snapshots } from './snapshots.ts';

const worker = 'a' as WorkerId;

const plan: EnginePlan = {
  layout: { size: 3, parameters: [{ name: 'w', shape: [3], offset: 0, size: 3, role: 'kernel' }] },
  initialWeights: Float32Array.of(1, -2, 3),
  optimizer: { type: 'adam' },
  schedule: { type: 'constant', learningRate: 0.1 },
  shards: 2,
  stepsPerEpoch: 4,
  totalSteps: 8,
  classes: 2,
  stepSamples: () => [2, 3],
  evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [4] } },
};

interface World {
  readonly run: Run;
  readonly storage: RunStorage;
  readonly snapshots: Snapshots;
  readonly ends: RunEnd[];
  readonly events: CoordinatorEvent[];
  /** Answers so many leases of the one worker; with `error` added to each gradient. */
  go(rounds: number, error?: number): void;
}

const recipe = Object.values(recipes)[0]!;
const stored = {
  recipe,
  data: { train: 'a', test: 'b' },
  claim: { recipeHash: '', host: '', port: 0, token: 'join-token' },
};
const ignore = (): void => undefined;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-back-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A run whose worker is this test: real files, a real engine, no connection. */
async function createWorld(directory: string): Promise<World> {
  const ends: RunEnd[] = [];
  const events: CoordinatorEvent[] = [];
  const onEvent = (event: CoordinatorEvent): void => void events.push(event);
  const onProblem = (error: Error): void => void events.push({ type: 'problem', message: error.message });
  const storage = await openStorage({ ...stored, directory, resume: false, onProblem });
  const { recorder } = storage;
  const run: Run = createRun({
    plan,
    codecs: codecsOf(recipe),
    term: storage.claim.term,
    sessions: () => sessions,
    progress: createProgress({ plan, recorder, countWorkers: () => 1, onEvent }),
    onEvent,
    onRoundClosed: () => snapshots.roundClosed(),
    onRollBack: () => undefined,
    onIncident: storage.incidents.note,
    explainEnd: (end) => end,
    onEnd: (end) => ends.push(end),
  });
  const welcome = {
    run: '',
    term: 1,
    recipe: '',
    recipeHash: '',
    manifests: stored.data,
    statistics: { mean: [], deviation: [] },
  };
  const limits = messageLimits({ role: 'worker', parameters: 3, classes: 2 });
  const hooks = { onEvent, onReceive: run.dispatch, onFailure: ignore, onDefect: ignore };
  const sessions: Sessions = createSessions({ welcome, limits, exact: false, ...hooks });
  const snapshots = createSnapshots({ name: 'x', storage, run, sessions, everySteps: 2, onEvent });
  run.dispatch({ type: 'worker-joined', worker });
  run.dispatch({ type: 'worker-ready', worker, numericsClass: 'n' });
  run.dispatch({ type: 'worker-prepared', worker, shards: [0, 1] });
  run.start();
  return {
    run,
    storage,
    snapshots,
    ends,
    events,
    go(rounds, error = 0) {
      for (let i = 0; i < rounds && ends.length === 0; i += 1) {
        const { round } = run.engine.status();
        if (!round) throw new Error('no round');
        const isStep = round.task === 'step';
        const gradient = run.engine.weights().map((w) => w * 0.3 + round.version + error);
        const partial = {
          round: round.index,
          lo: 0,
          hi: round.leafCount,
          samples: isStep ? 5 : 4,
          computeMs: 1,
          gradient: isStep ? gradient : new Float32Array(0),
          metrics: new Float64Array(isStep ? 2 : 6),
        };
        run.dispatch({ type: 'partial-arrived', worker, partial });
      }
    },
  };
}

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
    const again = await openStorage({ ...stored, directory, resume: true, onProblem: ignore });
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
