import { describe, expect, test } from 'vitest';
import { createEngine, type Engine } from './engine.ts';
import type { EngineEffect, EnginePlan, Round, WorkerId } from '../events.ts';

const [a, b, c] = ['a', 'b', 'c'] as WorkerId[] as [WorkerId, WorkerId, WorkerId];

const plan: EnginePlan = {
  layout: { size: 1, parameters: [{ name: 'w', shape: [1], offset: 0, size: 1, role: 'kernel' }] },
  initialWeights: Float32Array.of(1),
  optimizer: { type: 'sgd' },
  schedule: { type: 'constant', learningRate: 0.1 },
  shards: 4,
  stepsPerEpoch: 1000,
  totalSteps: 1000,
  classes: 2,
  stepSamples: () => [1, 1, 1, 1],
  evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [4] } },
};

type Lease = Extract<EngineEffect, { type: 'lease' }>;

/** An engine, the leases that its workers have still to answer, and a clock. */
interface World {
  readonly engine: Engine;
  /** Those that nobody has answered. */
  readonly leases: Lease[];
  readonly commits: number;
  nowMs: number;
  pass(ms: number): void;
  leave(worker: WorkerId): void;
  /** The oldest lease of a worker is answered. */
  answer(worker: WorkerId, times?: { readonly computeMs?: number }): void;
  /** Everybody answers, so many rounds, each after 10 ms. */
  warmUp(rounds: number): void;
}

function createWorld(workers: readonly WorkerId[], changes: Partial<EnginePlan> = {}): World {
  const engine = createEngine({ ...plan, ...changes });
  const leases: Lease[] = [];
  let commits = 0;
  const note = (effects: readonly EngineEffect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'lease') leases.push(effect);
      if (effect.type === 'commit') commits += 1;
      expect(effect.type).not.toBe('expel');
    }
  };
  const world: World = {
    engine,
    leases,
    nowMs: 0,
    get commits() {
      return commits;
    },
    pass(ms) {
      world.nowMs += ms;
      note(engine.handle({ atMs: world.nowMs, type: 'time-passed' }));
    },
    leave: (worker) => note(engine.handle({ atMs: world.nowMs, type: 'worker-left', worker })),
    answer(worker, { computeMs = 1 } = {}) {
      const index = leases.findIndex((each) => each.worker === worker);
      const [lease] = leases.splice(index, 1);
      if (index < 0 || !lease) throw new Error(`nothing leased to ${worker}`);
      for (const [lo, hi] of nodesOf(lease.round, lease.leaves)) {
        const isStep = lease.round.task === 'step';
        const partial = {
          round: lease.round.index,
          lo,
          hi,
          samples: isStep ? hi - lo : 4,
          computeMs,
          gradient: isStep ? Float32Array.of(hi - lo) : new Float32Array(0),
          metrics: new Float64Array(isStep ? 2 : 6),
        };
        note(engine.handle({ atMs: world.nowMs, type: 'partial-arrived', worker, partial }));
      }
    },
    warmUp(rounds) {
      for (let i = 0; i < rounds; i++) {
        const now = new Set(leases.map(({ worker }) => worker));
        world.nowMs += 10;
        for (const worker of now) world.answer(worker, { computeMs: 9 });
      }
    },
  };
  for (const worker of workers) {
    engine.handle({ atMs: 0, type: 'worker-joined', worker });
    engine.handle({ atMs: 0, type: 'worker-ready', worker, numericsClass: 'n' });
    note(engine.handle({ atMs: 0, type: 'worker-prepared', worker, shards: [0, 1, 2, 3] }));
  }
  note(engine.start(0));
  return world;
}

/** Pairs and single leaves of a lease. */
function nodesOf({ leafCount }: Round, leaves: readonly number[]): [number, number][] {
  if (leaves.length === leafCount) return [[0, leafCount]];
  if (leaves.length === 2 && leaves[0]! % 2 === 0) return [[leaves[0]!, leaves[0]! + 2]];
  return leaves.map((leaf) => [leaf, leaf + 1]);
}

/** How long until the deadline that the engine asks for. */
function patience({ engine, nowMs }: World): number {
  return (engine.nextDeadlineMs() ?? Number.NaN) - nowMs;
}

describe('deadlines', () => {
  test('are generous while nothing is measured, then follow what is', () => {
    const world = createWorld([a, b]);
    expect(patience(world)).toBe(30_000);
    world.warmUp(10);
    // A usual turn takes 10 ms.
    expect(patience(world)).toBeGreaterThan(3 * 10);
    expect(patience(world)).toBeLessThan(20 * 10);
    expect(world.engine.status().outstanding[0]).toMatchObject({ owner: a, backups: [] });
    expect(world.engine.status().outstanding[0]?.usualMs).toBeCloseTo(10, 6);
  });

  test('a machine that is suddenly twice as slow is not late, and one that stays slow gets longer', () => {
    const world = createWorld([a, b]);
    world.warmUp(10);
    const before = patience(world);
    for (let i = 0; i < 20; i++) {
      world.nowMs += 20;
      world.engine.handle({ atMs: world.nowMs, type: 'time-passed' });
      expect(world.engine.status().workers.some(({ isLate }) => isLate)).toBe(false);
      world.answer(a, { computeMs: 18 });
      world.answer(b, { computeMs: 18 });
    }
    expect(patience(world)).toBeGreaterThan(before);
  });

  test('there is none before the start, while nobody is there, and after the end', () => {
    expect(createEngine(plan).nextDeadlineMs()).toBeUndefined();
    const world = createWorld([a]);
    world.leave(a);
    world.pass(40_000);
    expect(world.engine.nextDeadlineMs()).toBeUndefined();
    world.engine.handle({ atMs: world.nowMs, type: 'operator-asked', request: 'stop' });
    expect(world.engine.nextDeadlineMs()).toBeUndefined();
  });
});

describe('late leases', () => {
  test('go to an idle worker too; the first answer wins, the second one is dropped', () => {
    const world = createWorld([a, b]);
    world.warmUp(10);
    world.nowMs += 10;
    world.answer(b);
    world.pass(patience(world));
    expect(world.leases).toMatchObject([
      { worker: a, leaves: [0, 1] },
      { worker: b, leaves: [0, 1] },
    ]);
    expect(world.engine.status()).toMatchObject({
      outstanding: [{ owner: a, backups: [b] }, {}],
      workers: [{ isLate: true }, { isLate: false }],
    });
    const { commits } = world;
    world.answer(b);
    expect(world.commits).toBe(commits + 1);
    // The late worker has not answered yet: all goes to the other.
    expect(world.leases).toMatchObject([{ worker: a }, { worker: b, leaves: [0, 1, 2, 3] }]);
    world.answer(a);
    world.answer(b);
    expect(world.commits).toBe(commits + 2);
    expect(world.leases).toMatchObject([{ worker: a }, { worker: b }]);
  });

  test('go to a spare at once, and the late worker may still win', () => {
    const world = createWorld([a, b, c], { shards: 2, stepSamples: () => [1, 1] });
    world.warmUp(5);
    world.pass(patience(world));
    expect(world.leases.map(({ worker }) => worker)).toEqual([a, b, c, c]);
    const { commits } = world;
    world.answer(a);
    world.answer(b);
    expect(world.commits).toBe(commits + 1);
  });

  test('wait until somebody has nothing else to do', () => {
    const world = createWorld([a, b]);
    world.warmUp(5);
    world.pass(patience(world));
    expect(world.leases).toHaveLength(2);
    world.answer(b);
    expect(world.leases.at(-1)).toMatchObject({ worker: b, leaves: [0, 1] });
  });

  test('a backup that is late as well gets a backup, and the leases of one that is gone pass to its backup', () => {
    const world = createWorld([a, b, c], { shards: 1, stepSamples: () => [4] });
    const [first] = world.leases;
    world.pass(patience(world));
    world.pass(patience(world));
    expect(world.leases.map(({ worker }) => worker)).toEqual([a, b, c]);
    expect(world.engine.status().outstanding).toMatchObject([{ owner: a, backups: [b, c] }]);
    world.leave(a);
    expect(world.engine.status().outstanding).toMatchObject([{ owner: b, backups: [c] }]);
    expect(first?.worker).toBe(a);
  });

  test('a lone worker is only waited for', () => {
    const world = createWorld([a]);
    world.warmUp(3);
    world.pass(patience(world));
    world.pass(10_000);
    expect(world.leases).toHaveLength(1);
    const { commits } = world;
    world.answer(a);
    expect(world.commits).toBe(commits + 1);
    expect(world.leases).toHaveLength(1);
  });

  test('scenario 1: a worker that was stopped for a minute answers for a round long gone: dropped, and it works again', () => {
    const world = createWorld([a, b]);
    world.warmUp(10);
    world.nowMs += 10;
    world.answer(b);
    world.pass(patience(world));
    for (let i = 0; i < 50; i++) {
      world.nowMs += 10;
      world.answer(b, { computeMs: 9 });
    }
    expect(world.leases.filter(({ worker }) => worker === a)).toHaveLength(1);
    world.nowMs += 60_000;
    world.answer(a);
    expect(world.engine.status().workers[0]).toMatchObject({ worker: a, load: 0, isLate: false });
    world.answer(b);
    expect(world.leases.map(({ worker }) => worker)).toEqual([a, b]);
  });
});

test('a helper that is late as well is replaced, also when the first worker would get new leases again', () => {
  const world = createWorld([a]);
  world.warmUp(10);
  for (const worker of [b, c]) {
    world.engine.handle({ atMs: world.nowMs, type: 'worker-joined', worker });
    world.engine.handle({ atMs: world.nowMs, type: 'worker-ready', worker, numericsClass: 'n' });
    world.engine.handle({ atMs: world.nowMs, type: 'worker-prepared', worker, shards: [0, 1, 2, 3] });
  }
  const first = patience(world);
  world.pass(first);
  // The helper is not measured: it gets far longer.
  expect(patience(world)).toBeGreaterThan(11 * first);
  world.pass(patience(world));
  expect(world.leases.map(({ worker }) => worker)).toEqual([a, b, c]);
  const { commits } = world;
  world.answer(c);
  expect(world.commits).toBe(commits + 1);
});

test('who never answered in an earlier round and gets leases again is helped with all of them', () => {
  const world = createWorld([a, b]);
  world.warmUp(10);
  const leavesOf = (worker: WorkerId): number[][] =>
    world.leases.filter((each) => each.worker === worker).map(({ leaves }) => [...leaves]);
  world.nowMs += 10;
  world.answer(b);
  world.pass(patience(world));
  for (let i = 0; i < 1_000 && leavesOf(a).length < 2; i++) {
    world.nowMs += 10;
    world.answer(b);
  }
  const [before, again = []] = leavesOf(a);
  expect(again.length).toBeGreaterThan(0);
  expect(before).toEqual(expect.arrayContaining(again));
  world.answer(b);
  while (leavesOf(b).length === 0 && Number.isFinite(patience(world))) world.pass(patience(world));
  expect(leavesOf(b).flat()).toEqual(again);
});

test('who has answered before helps first', () => {
  const world = createWorld([a, b]);
  world.warmUp(10);
  world.engine.handle({ atMs: world.nowMs, type: 'worker-joined', worker: c });
  world.engine.handle({ atMs: world.nowMs, type: 'worker-ready', worker: c, numericsClass: 'n' });
  world.engine.handle({ atMs: world.nowMs, type: 'worker-prepared', worker: c, shards: [0, 1, 2, 3] });
  world.answer(b);
  world.pass(patience(world));
  expect(world.leases.map(({ worker }) => worker)).toEqual([a, b]);
});

describe('scenario 10: the clock', () => {
  test.each([3_600_000, -3_600_000])(
    'jumps by %i ms: nothing is late, and deadlines count from there',
    (jump) => {
      const world = createWorld([a, b]);
      world.warmUp(10);
      const before = patience(world);
      world.answer(b);
      world.nowMs += jump;
      world.pass(0);
      expect(world.leases).toHaveLength(1);
      expect(patience(world)).toBeCloseTo(before, 6);
      world.pass(patience(world));
      expect(world.leases).toHaveLength(2);
    },
  );

  test('a process that slept gives everybody time again', () => {
    const world = createWorld([a, b]);
    world.warmUp(10);
    world.pass(patience(world) + 20_000);
    expect(world.engine.status().workers.some(({ isLate }) => isLate)).toBe(false);
  });

  test('a process that slept for a moment hears first what has waited: nobody is helped with what is there', () => {
    const world = createWorld([a, b]);
    world.warmUp(10);
    const { commits } = world;
    world.nowMs += patience(world) + 200;
    world.answer(b);
    expect(world.leases.map(({ worker }) => worker)).toEqual([a]);
    expect(world.engine.status().workers.some(({ isLate }) => isLate)).toBe(false);
    world.answer(a);
    expect(world.commits).toBe(commits + 1);
  });

  test('a turn during which the process slept says nothing about its worker', () => {
    const world = createWorld([a]);
    world.warmUp(1);
    world.pass(patience(world) + 20_000);
    world.answer(a);
    expect(world.engine.status().workers[0]?.stepTimes).toBeUndefined();
    expect(patience(world)).toBe(30_000);
  });
});

test('asynchronous: a late step is computed anew by an idle worker, and the late answer is dropped', () => {
  const world = createWorld([a, b], { maxStaleness: 0 });
  expect(world.leases.map(({ worker }) => worker)).toEqual([a]);
  world.pass(patience(world));
  expect(world.leases.map(({ worker, round }) => [worker, round.step])).toEqual([
    [a, 0],
    [b, 0],
  ]);
  world.answer(a);
  expect(world.commits).toBe(0);
  world.answer(b);
  expect(world.commits).toBe(1);
});
