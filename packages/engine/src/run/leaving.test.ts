import { beforeEach, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from './engine.ts';
import type { EngineEffect, EnginePlan, WorkerId } from '../events.ts';

const [a, b, c] = ['a', 'b', 'c'] as WorkerId[] as [WorkerId, WorkerId, WorkerId];

function createPlan(shards: number): EnginePlan {
  return {
    layout: { size: 1, parameters: [{ name: 'w', shape: [1], offset: 0, size: 1, role: 'kernel' }] },
    initialWeights: Float32Array.of(1),
    optimizer: { type: 'sgd' },
    schedule: { type: 'constant', learningRate: 0.1 },
    shards,
    stepsPerEpoch: 1000,
    totalSteps: 1000,
    classes: 2,
    stepSamples: () => Array.from({ length: shards }, () => 3),
    evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [4] } },
  };
}

function enlist(engine: Engine, worker: WorkerId): EngineEffect[] {
  engine.handle({ atMs: 0, type: 'worker-joined', worker });
  engine.handle({ atMs: 0, type: 'worker-ready', worker, numericsClass: 'n' });
  return engine.handle({ atMs: 0, type: 'worker-prepared', worker, shards: [0, 1, 2, 3] });
}

function createStarted(workers: readonly WorkerId[], shards = 4): Engine {
  const engine = createEngine(createPlan(shards));
  for (const worker of workers) enlist(engine, worker);
  engine.start(0);
  return engine;
}

function answer(
  engine: Engine,
  worker: WorkerId,
  [lo, hi]: readonly [number, number],
  other: { readonly gradient?: Float32Array } = {},
): EngineEffect[] {
  const partial = {
    round: engine.status().round?.index ?? 0,
    lo,
    hi,
    samples: 3 * (hi - lo),
    computeMs: 1,
    gradient: Float32Array.of(1),
    metrics: Float64Array.of(1, 1),
    ...other,
  };
  return engine.handle({ atMs: nowMs, type: 'partial-arrived', worker, partial });
}

let nowMs = 1;
beforeEach(() => {
  nowMs = 1;
});

/** Each a second after the one before. */
function lose(engine: Engine, worker: WorkerId): EngineEffect[] {
  nowMs += 1_000;
  return engine.handle({ atMs: nowMs, type: 'worker-left', worker, isLost: true });
}

function leases(effects: readonly EngineEffect[]): [WorkerId, readonly number[]][] {
  return effects.filter((effect) => effect.type === 'lease').map(({ worker, leaves }) => [worker, leaves]);
}

test('a worker that was lost and came back helps with the very leaves that it lost', () => {
  const engine = createStarted([a, b]);
  expect(leases(lose(engine, b))).toEqual([[a, [2, 3]]]);
  expect(leases(enlist(engine, b))).toEqual([]);
  nowMs = engine.nextDeadlineMs() ?? Number.NaN;
  const helped = leases(engine.handle({ atMs: nowMs, type: 'time-passed' }));
  expect(helped.every(([worker]) => worker === b)).toBe(true);
  expect(helped.flatMap(([, leaves]) => leaves).toSorted((x, y) => x - y)).toEqual([0, 1, 2, 3]);
  answer(engine, b, [0, 2]);
  expect(answer(engine, b, [2, 4]).map(({ type }) => type)).toContain('commit');
});

describe('a drained worker', () => {
  test('answers what it has, is released, and gets nothing more', () => {
    const engine = createStarted([a, b]);
    expect(engine.handle({ atMs: 1, type: 'operator-asked', request: 'drain', worker: a })).toEqual([]);
    expect(engine.status().workers[0]).toMatchObject({ worker: a, isDraining: true, load: 2 });
    expect(answer(engine, a, [0, 2])).toEqual([{ type: 'release', worker: a }]);
    expect(engine.status().workers.map(({ worker }) => worker)).toEqual([b]);
    expect(leases(answer(engine, b, [2, 4]))).toEqual([[b, [0, 1, 2, 3]]]);
  });

  test('is released at once if it has nothing to do; an unknown one is not', () => {
    const engine = createStarted([a, b], 1);
    const drain = { atMs: 1, type: 'operator-asked', request: 'drain' } as const;
    expect(engine.handle({ ...drain, worker: b })).toEqual([{ type: 'release', worker: b }]);
    expect(engine.handle({ ...drain, worker: c })).toEqual([]);
  });

  test('that was the last one leaves the run waiting', () => {
    const engine = createStarted([a]);
    engine.handle({ atMs: 1, type: 'operator-asked', request: 'drain', worker: a });
    expect(answer(engine, a, [0, 4]).map(({ type }) => type)).toEqual(['commit', 'release']);
    expect(engine.status()).toMatchObject({ waitingFor: 'workers', workers: [] });
    expect(leases(enlist(engine, b))).toEqual([[b, [0, 1, 2, 3]]]);
  });
});

describe('scenario 12: a shard that kills its workers', () => {
  test('two workers that held nothing else: the run ends and names step, shard, samples and workers', () => {
    const engine = createStarted([a, b], 1);
    expect(leases(lose(engine, a))).toEqual([[b, [0]]]);
    const [end] = lose(engine, b);
    const message =
      'step 1 (epoch 1): shard 0 with 3 samples is put aside: ' +
      'the connections to a, b broke while they computed it, one after the other';
    expect(end).toMatchObject({ type: 'end', outcome: 'failed', error: { code: 'WORKER_FAILED', message } });
  });

  test('among others: after two deaths its leaves are leased one by one, until it is proven', () => {
    const engine = createStarted([a]);
    lose(engine, a);
    expect(leases(enlist(engine, b))).toEqual([[b, [0, 1, 2, 3]]]);
    lose(engine, b);
    // Now each leaf alone, to a worker that has nothing else; shard 2 is the bad one.
    expect(leases(enlist(engine, c))).toEqual([[c, [0]]]);
    expect(leases(answer(engine, c, [0, 1]))).toEqual([[c, [1]]]);
    expect(leases(answer(engine, c, [1, 2]))).toEqual([[c, [2]]]);
    const [end] = lose(engine, c);
    expect(end).toMatchObject({
      outcome: 'failed',
      error: { message: expect.stringContaining('shard 2 with') },
    });
  });

  test('two healthy workers that are killed in a row, and one that comes and goes, do not end the run', () => {
    const engine = createStarted([a]);
    lose(engine, a);
    for (let i = 0; i < 5; i++) {
      enlist(engine, a);
      expect(lose(engine, a)).toEqual([]);
    }
    enlist(engine, b);
    expect(lose(engine, b)).toEqual([]);
    enlist(engine, c);
    for (const leaf of [0, 1, 2]) answer(engine, c, [leaf, leaf + 1]);
    expect(answer(engine, c, [3, 4]).map(({ type }) => type)).toContain('commit');
  });

  test('all connections that break at once break for one reason, whoever inherits what', () => {
    const engine = createStarted([a, b, c], 1);
    for (const [worker, atMs] of [
      [a, 1],
      [b, 1],
      [c, 200],
    ] as const) {
      const effects = engine.handle({ atMs, type: 'worker-left', worker, isLost: true });
      expect(effects.some(({ type }) => type === 'end')).toBe(false);
    }
    expect(leases(enlist(engine, a))).toEqual([[a, [0]]]);
    expect(answer(engine, a, [0, 1]).map(({ type }) => type)).toContain('commit');
  });

  test('workers that leave on purpose, or after their answer, prove nothing', () => {
    const engine = createStarted([a], 1);
    for (const worker of [b, c]) {
      enlist(engine, worker);
      engine.handle({ atMs: 1, type: 'worker-left', worker });
      enlist(engine, worker);
      lose(engine, worker);
    }
    expect(engine.status().phase).toBe('running');
  });
});

test('a worker that is asked in a dispute, leaves and comes back under its name is asked again', () => {
  const engine = createEngine(createPlan(4), { verify: { share: 1, draw: () => 0 } });
  for (const worker of [a, b, c]) enlist(engine, worker);
  const [first] = leases(engine.start(0));
  const node: [number, number] = [first![1][0]!, first![1].at(-1)! + 1];
  const [auditor] = leases(answer(engine, a, node));
  expect(auditor?.[1]).toEqual(first![1]);
  const other = auditor![0] === b ? c : b;
  const wrong = { gradient: Float32Array.of(2) };
  expect(leases(answer(engine, auditor![0], node, wrong))).toContainEqual([other, first![1]]);
  lose(engine, other);
  expect(leases(enlist(engine, other))).toContainEqual([other, first![1]]);
});
