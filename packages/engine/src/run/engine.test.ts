import { describe, expect, test } from 'vitest';
import { createEngine } from './engine.ts';
import { plainVectors } from '../vectors/plain-vectors.ts';
import type { EngineEffect, EnginePlan, PartialSum, WorkerId } from '../events.ts';
import type { Engine } from './engine.ts';

const [a, b, c] = ['a', 'b', 'c'] as WorkerId[] as [WorkerId, WorkerId, WorkerId];

/** Three parameters, four shards of which shard 2 is empty, two steps an epoch, gradient descent with rate 0.5. */
function createPlan(changes: { -readonly [Key in keyof EnginePlan]?: EnginePlan[Key] } = {}): EnginePlan {
  return {
    layout: {
      size: 3,
      parameters: [
        { name: 'dense/kernel', shape: [2], offset: 0, size: 2, role: 'kernel' },
        { name: 'dense/bias', shape: [1], offset: 2, size: 1, role: 'bias' },
      ],
    },
    initialWeights: Float32Array.of(1, 2, 3),
    optimizer: { type: 'sgd' },
    schedule: { type: 'constant', learningRate: 0.5 },
    shards: 4,
    stepsPerEpoch: 2,
    totalSteps: 2,
    classes: 2,
    stepSamples: () => [2, 2, 0, 1],
    evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [4, 3] } },
    ...changes,
  };
}

/** Joins and becomes ready; answers with all effects but `prepare`. */
function enlist(engine: Engine, worker: WorkerId, atMs = 0): EngineEffect[] {
  engine.handle({ atMs, type: 'worker-joined', worker });
  const [prepare] = engine.handle({ atMs, type: 'worker-ready', worker, numericsClass: 'n' });
  if (prepare?.type !== 'prepare') throw new Error('expected prepare');
  return engine.handle({ atMs, type: 'worker-prepared', worker, shards: prepare.shards });
}

function createStarted(workers: readonly WorkerId[], changes: Parameters<typeof createPlan>[0] = {}): Engine {
  const engine = createEngine(createPlan(changes));
  for (const worker of workers) enlist(engine, worker);
  engine.start(0);
  return engine;
}

function partial(
  lo: number,
  hi: number,
  changes: { -readonly [Key in keyof PartialSum]?: PartialSum[Key] } = {},
): PartialSum {
  const samples = [2, 2, 0, 1].slice(lo, hi).reduce((sum, count) => sum + count, 0);
  const gradient = Float32Array.of(samples, 0, -samples);
  return {
    round: 0,
    lo,
    hi,
    samples,
    computeMs: 1,
    gradient,
    metrics: Float64Array.of(samples, 1),
    ...changes,
  };
}

function sumOf({ gradient }: Pick<PartialSum, 'gradient'>): string {
  return plainVectors.checksum(gradient);
}

function send(engine: Engine, worker: WorkerId, sent: PartialSum): EngineEffect[] {
  return engine.handle({ atMs: 5, type: 'partial-arrived', worker, partial: sent });
}

function leases(effects: readonly EngineEffect[]): [WorkerId, readonly number[]][] {
  return effects.filter((effect) => effect.type === 'lease').map(({ worker, leaves }) => [worker, leaves]);
}

function types(effects: readonly EngineEffect[]): string[] {
  return effects.map(({ type }) => type);
}

describe('a calm run', () => {
  test('goes through its steps, the epoch, the evaluation, and ends', () => {
    const engine = createEngine(createPlan());
    expect(enlist(engine, a)).toEqual([]);
    const first = engine.start(0);
    expect(types(first)).toEqual(['publish', 'lease']);
    expect(leases(first)).toEqual([[a, [0, 1, 3]]]);

    expect(send(engine, a, partial(0, 2))).toEqual([]);
    const second = send(engine, a, partial(2, 4));
    expect(types(second)).toEqual(['commit', 'publish', 'lease']);
    expect(second[0]).toEqual({
      type: 'commit',
      record: {
        step: 1,
        epoch: 1,
        samples: 5,
        loss: 1,
        accuracy: 2 / 5,
        learningRate: 0.5,
        gradientNorm: Math.SQRT2,
        contributions: [
          { worker: a, numericsClass: 'n', lo: 0, hi: 2, samples: 4, sum: sumOf(partial(0, 2)) },
          { worker: a, numericsClass: 'n', lo: 2, hi: 4, samples: 1, sum: sumOf(partial(2, 4)) },
        ],
      },
    });
    expect(second[1]).toMatchObject({ version: 1, workers: [a], weights: Float32Array.of(0.5, 2, 3.5) });
    expect(engine.weights()).toEqual(Float32Array.of(0.5, 2, 3.5));

    const third = send(engine, a, partial(0, 4, { round: 1 }));
    expect(types(third)).toEqual(['commit', 'epoch-done', 'publish', 'lease']);
    expect(third[1]).toEqual({ type: 'epoch-done', epoch: 1, loss: 1, accuracy: 3 / 10 });

    const metrics = Float64Array.of(14, 5, 3, 1, 1, 2);
    const evaluation = { round: 2, samples: 7, gradient: new Float32Array(0), metrics };
    expect(send(engine, a, partial(0, 2, evaluation))).toEqual([
      {
        type: 'evaluated',
        record: {
          split: 'test',
          step: 2,
          epoch: 1,
          samples: 7,
          loss: 2,
          accuracy: 5 / 7,
          confusion: [
            [3, 1],
            [1, 2],
          ],
        },
        contributions: [
          {
            worker: a,
            numericsClass: 'n',
            lo: 0,
            hi: 2,
            samples: 7,
            sum: sumOf({ gradient: new Float32Array(0) }),
          },
        ],
      },
      { type: 'end', outcome: 'finished' },
    ]);
    expect(engine.status()).toMatchObject({ phase: 'finished', waitingFor: 'nothing', round: undefined });
    expect(engine.handle({ atMs: 9, type: 'worker-left', worker: a })).toEqual([]);
  });

  test('statistics are averaged over the samples; L2, clipping and the optimizer do not see them', () => {
    const [kernel, bias] = createPlan().layout.parameters;
    const statistic = { ...bias!, role: 'statistic', momentum: 0.75 } as const;
    const layout = { size: 3, parameters: [kernel!, statistic] };
    const engine = createStarted([a], { layout, clipNorm: 5, optimizer: { type: 'adam' } });
    const sent = { gradient: Float32Array.of(15, 20, -1000), samples: 5 };
    const [commit] = send(engine, a, partial(0, 4, sent));
    expect(commit).toMatchObject({ record: { gradientNorm: 5 } });
    const plain = createStarted([a], { clipNorm: 5, optimizer: { type: 'adam' } });
    send(plain, a, partial(0, 4, { ...sent, gradient: Float32Array.of(15, 20, 0) }));
    expect([...engine.weights()]).toEqual([...plain.weights().slice(0, 2), 0.75 * 3 + 0.25 * -200]);
  });

  test('L2 comes before clipping, and both before the update', () => {
    const engine = createStarted([a], { l2: 1, clipNorm: 1 });
    const [commit] = send(engine, a, partial(0, 4));
    // Mean (1, 0, -1) + the kernel (1, 2) = (2, 2, -1), of norm 3, scaled to 1.
    expect(commit).toMatchObject({ record: { gradientNorm: 3 } });
    const expected = [1 - 1 / 3, 2 - 1 / 3, 3 + 1 / 6];
    for (const [i, weight] of expected.entries()) expect(engine.weights()[i]).toBeCloseTo(weight, 6);
  });

  test('published vectors never change, and each version is published once to all who lack it', () => {
    const engine = createEngine(createPlan());
    enlist(engine, a);
    enlist(engine, b);
    const published = [
      ...engine.start(0),
      ...send(engine, a, partial(0, 2)),
      ...send(engine, b, partial(3, 4)),
    ];
    const publications = published.filter((effect) => effect.type === 'publish');
    expect(publications.map(({ version, workers }) => [version, workers])).toEqual([
      [0, [a, b]],
      [1, [a, b]],
    ]);
    expect(publications[0]?.weights).toEqual(Float32Array.of(1, 2, 3));
  });

  test('a stop ends the run at once', () => {
    const engine = createStarted([a]);
    expect(engine.handle({ atMs: 1, type: 'time-passed' })).toEqual([]);
    const effects = engine.handle({ atMs: 1, type: 'operator-asked', request: 'stop' });
    expect(effects).toEqual([{ type: 'end', outcome: 'stopped' }]);
    expect(engine.status().phase).toBe('stopped');
  });
});

describe('who gets leases', () => {
  test('a worker that joins during a round waits for the next one', () => {
    const engine = createStarted([a]);
    expect(enlist(engine, b)).toEqual([]);
    expect(engine.status().spares).toEqual([b]);
    expect(leases(send(engine, a, partial(0, 4)))).toEqual([
      [a, [0, 1]],
      [b, [3]],
    ]);
  });

  test('a worker that joins while nobody has the leaves gets them at once', () => {
    const engine = createStarted([]);
    expect(engine.status()).toMatchObject({
      waitingFor: 'workers',
      outstanding: [{ leaf: 0 }, { leaf: 1 }, { leaf: 3 }],
    });
    expect(leases(enlist(engine, a, 7))).toEqual([[a, [0, 1, 3]]]);
    expect(engine.status()).toMatchObject({
      waitingFor: 'leases',
      outstanding: [0, 1, 3].map((leaf) => ({ leaf, owner: a, sinceMs: 7 })),
    });
  });

  test('the unfinished leases of a lost worker go to the others in the same round', () => {
    const engine = createStarted([a, b]);
    send(engine, a, partial(0, 1));
    const effects = engine.handle({ atMs: 3, type: 'worker-left', worker: a });
    expect(leases(effects)).toEqual([[b, [1]]]);
    expect(types(effects)).toEqual(['lease']);
    const [commit] = [...send(engine, b, partial(1, 2)), ...send(engine, b, partial(3, 4))];
    expect(commit).toMatchObject({
      record: { contributions: [{ worker: a }, { worker: b }, { worker: b }] },
    });
  });

  test('more workers than leaves: the others are spares, get no weights, and stand in', () => {
    const engine = createStarted([a, b, c, 'd' as WorkerId]);
    expect(engine.status().spares).toEqual(['d']);
    const effects = engine.handle({ atMs: 3, type: 'worker-left', worker: b });
    expect(effects).toMatchObject([
      { type: 'publish', workers: ['d'] },
      { type: 'lease', worker: 'd', leaves: [1] },
    ]);
  });

  test('a worker is asked to prepare what it will probably get', () => {
    const engine = createEngine(createPlan());
    const prepared = [a, b].map((worker) => {
      engine.handle({ atMs: 0, type: 'worker-joined', worker });
      return engine.handle({ atMs: 0, type: 'worker-ready', worker, numericsClass: 'n' });
    });
    expect(prepared).toEqual([
      [{ type: 'prepare', worker: a, shards: [0, 1, 2, 3] }],
      [{ type: 'prepare', worker: b, shards: [2, 3] }],
    ]);
  });

  test('a faster worker gets more, measured in steps only', () => {
    const changes = { shards: 8, stepSamples: () => [1, 1, 1, 1, 1, 1, 1, 1], totalSteps: 9 };
    const engine = createStarted([a, b], changes);
    // Two steps are an epoch; `b` takes three times as long. The first step is not measured.
    for (const round of [0, 1]) {
      send(engine, a, partial(0, 4, { round, samples: 4, computeMs: 10 }));
      send(engine, b, partial(4, 8, { round, samples: 4, computeMs: 30 }));
    }
    expect(engine.status().outstanding).toMatchObject([{ owner: a }, { owner: a }]);
    const evaluation = { gradient: new Float32Array(0), metrics: new Float64Array(6), computeMs: 1e6 };
    const faster = [
      [a, [0, 1, 2, 3, 4, 5]],
      [b, [6, 7]],
    ];
    expect(leases(send(engine, a, partial(0, 2, { ...evaluation, round: 2, samples: 7 })))).toEqual(faster);
    send(engine, a, partial(0, 4, { round: 3, samples: 4, computeMs: 10 }));
    send(engine, a, partial(4, 6, { round: 3, samples: 2, computeMs: 5 }));
    expect(leases(send(engine, b, partial(6, 8, { round: 3, samples: 2, computeMs: 15 })))).toEqual(faster);
    const [speedA, speedB] = engine.status().workers.map(({ samplesPerMs }) => samplesPerMs);
    expect(speedA).toBeCloseTo(6 / 15, 12);
    expect(speedB).toBeCloseTo(2 / 15, 12);
  });
});

describe('partials', () => {
  const dropped: [string, WorkerId, PartialSum][] = [
    ['of an earlier round', a, partial(0, 1, { round: -1 })],
    ['of an earlier round, even malformed', a, partial(5, 2, { round: -1, gradient: new Float32Array(9) })],
    ['of a leaf that is done', a, partial(0, 1)],
    ['of a node with a leaf that is done', a, partial(0, 2)],
    ['of an unknown worker', c, partial(0, 1)],
  ];
  test.each(dropped)('%s: dropped silently, the worker stays', (_, worker, sent) => {
    const engine = createStarted([a, b]);
    send(engine, a, partial(0, 1));
    const before = engine.status();
    expect(send(engine, worker, sent)).toEqual([]);
    expect(engine.status()).toEqual(before);
  });

  const impossible: [string, PartialSum][] = [
    ['of a later round', partial(0, 1, { round: 1 })],
    ['of no round', partial(0, 1, { round: NaN })],
    ['of no node', partial(1, 3)],
    ['of a node outside', partial(4, 8)],
    ['of an empty node', partial(1, 1)],
    ['of a broken node', partial(0.5, 1)],
    ["of another worker's leaf", partial(3, 4)],
    ["of a node that holds another worker's leaf", partial(0, 4)],
    ['of an absent leaf', partial(2, 3)],
    ['with too many samples', partial(0, 1, { samples: 3 })],
    ['with a short gradient', partial(0, 1, { gradient: new Float32Array(2) })],
    ['with a short metrics vector', partial(0, 1, { metrics: new Float64Array(1) })],
    ['with a negative time', partial(0, 1, { computeMs: -1 })],
    ['with an endless time', partial(0, 1, { computeMs: Infinity })],
    ['with a negative count', partial(0, 1, { metrics: Float64Array.of(1, -1) })],
    ['with a count that is none', partial(0, 1, { metrics: Float64Array.of(1, NaN) })],
  ];
  test.each(impossible)('%s: the worker is put out and its leases go to the other', (_, sent) => {
    const engine = createStarted([a, b]);
    const effects = send(engine, a, sent);
    expect(effects[0]).toMatchObject({ type: 'expel', worker: a, code: 'MESSAGE_INVALID' });
    expect(leases(effects)).toEqual([[b, [0, 1]]]);
    expect(engine.status().workers.map(({ worker }) => worker)).toEqual([b]);
    const [commit] = send(engine, b, partial(0, 4));
    expect(commit).toMatchObject({ type: 'commit', record: { samples: 5 } });
  });

  test('of an evaluation carry no gradient', () => {
    const engine = createStarted([a], { totalSteps: 1 });
    send(engine, a, partial(0, 4));
    const [effect] = send(engine, a, partial(0, 2, { round: 1, samples: 7, metrics: new Float64Array(6) }));
    expect(effect).toMatchObject({
      type: 'expel',
      message: expect.stringContaining('expected 0 gradient elements'),
    });
  });

  test('of a node that spans an absent leaf are taken', () => {
    const engine = createStarted([a, b]);
    send(engine, a, partial(0, 2));
    expect(types(send(engine, b, partial(2, 4)))).toContain('commit');
  });

  const coding = { groupSize: 2, code: (gradient: Float32Array) => gradient.map(Math.round) };

  test('of a whole group may come coded; a group in parts is coded by the engine', () => {
    const engine = createStarted([a], { coding });
    const gradient = Float32Array.of(0.4, 0, 0.6);
    send(engine, a, partial(0, 1, { gradient: gradient.slice() }));
    send(engine, a, partial(1, 2, { gradient: gradient.slice() }));
    send(engine, a, partial(2, 4, { gradient: Float32Array.of(4, 5, 4.5), isCoded: true }));
    // 0.8 and 1.2 are coded as 1 and 1; what came coded is taken as it is. Five samples, rate 0.5.
    expect(engine.weights()).toEqual(Float32Array.of(1 - 0.5, 2 - 0.5, 3 - 0.55));
  });

  test.each<[string, Parameters<typeof createPlan>[0], PartialSum]>([
    ['coded in an exact run', {}, partial(0, 2, { isCoded: true })],
    ['coded, and only a part of a group', { coding }, partial(0, 1, { isCoded: true })],
    ['coded, and several groups', { coding }, partial(0, 4, { isCoded: true })],
    ['exact, and several groups', { coding }, partial(0, 4)],
  ])('that are %s put the worker out', (_, changes, sent) => {
    const engine = createStarted([a], changes);
    expect(types(send(engine, a, sent))).toEqual(['expel']);
  });

  test('from a worker that came back under its name are late, not wrong', () => {
    const engine = createStarted([a, b]);
    engine.handle({ atMs: 1, type: 'worker-left', worker: a });
    expect(enlist(engine, a)).toEqual([]);
    expect(send(engine, a, partial(0, 2))).toEqual([]);
    expect(engine.status().spares).toEqual([a]);
  });
});

describe('messages out of order', () => {
  test('a worker is put out, whatever comes too early or twice', () => {
    const engine = createStarted([]);
    engine.handle({ atMs: 0, type: 'worker-joined', worker: a });
    const early = engine.handle({ atMs: 0, type: 'worker-prepared', worker: a, shards: [] });
    expect(early).toMatchObject([{ type: 'expel', message: 'worker-prepared from a worker that is joined' }]);
    enlist(engine, a);
    const twice = engine.handle({ atMs: 0, type: 'worker-ready', worker: a, numericsClass: 'n' });
    expect(twice).toMatchObject([{ type: 'expel' }]);
  });

  test('a partial before the start, or shards left out, are refused', () => {
    const engine = createEngine(createPlan());
    enlist(engine, a);
    expect(send(engine, a, partial(0, 4))).toMatchObject([{ type: 'expel' }]);
    engine.handle({ atMs: 0, type: 'worker-joined', worker: b });
    engine.handle({ atMs: 0, type: 'worker-ready', worker: b, numericsClass: 'n' });
    const effects = engine.handle({ atMs: 0, type: 'worker-prepared', worker: b, shards: [0, 1] });
    expect(effects).toMatchObject([{ type: 'expel', message: 'did not prepare shards 2, 3' }]);
  });

  test("the caller's own mistakes throw", () => {
    const engine = createStarted([a]);
    expect(() => engine.start(0)).toThrow('the run is already running');
    expect(() => engine.handle({ atMs: 0, type: 'worker-joined', worker: a })).toThrow(
      'worker a has already joined',
    );
  });
});

describe('a failed run', () => {
  test('a non-finite gradient names step, tensor, shards and worker, and touches no weight', () => {
    const engine = createStarted([a, b]);
    send(engine, b, partial(3, 4));
    // Another worker has to find the same: one that has NaN alone is broken.
    const asked = send(engine, a, partial(0, 2, { gradient: Float32Array.of(1, 1, NaN) }));
    expect(leases(asked)).toEqual([[b, [0, 1]]]);
    const effects = send(engine, b, partial(0, 2, { gradient: Float32Array.of(1, 1, NaN) }));
    const message =
      'step 1 (epoch 1): the gradient of dense/bias is NaN in the sum over shards 0, 1, computed by a; ' +
      'the weights are unchanged.';
    expect(effects).toEqual([{ type: 'end', outcome: 'failed', error: { code: 'NON_FINITE', message } }]);
    expect(engine.weights()).toEqual(Float32Array.of(1, 2, 3));
    expect(engine.status().phase).toBe('failed');
  });

  test('a non-finite loss does the same, in an evaluation too', () => {
    const engine = createStarted([a], { totalSteps: 1 });
    send(engine, a, partial(0, 4));
    const metrics = Float64Array.of(Infinity, 0, 0, 0, 0, 0);
    const [end] = send(
      engine,
      a,
      partial(1, 2, { round: 1, samples: 3, gradient: new Float32Array(0), metrics }),
    );
    const message = expect.stringContaining(
      'test evaluation after step 1: the loss is Infinity in the sum over block 1',
    );
    expect(end).toMatchObject({ outcome: 'failed', error: { code: 'NON_FINITE', message } });
  });

  test('finite parts that overflow together stop before the update', () => {
    const engine = createStarted([a]);
    send(engine, a, partial(0, 2, { gradient: Float32Array.of(0, 3e38, 0) }));
    const [end] = send(engine, a, partial(2, 4, { gradient: Float32Array.of(0, 3e38, 0) }));
    const message = expect.stringContaining(
      'the gradient of dense/kernel is Infinity in the sum over all shards',
    );
    expect(end).toMatchObject({ outcome: 'failed', error: { code: 'NON_FINITE', message } });
    expect(engine.weights()).toEqual(Float32Array.of(1, 2, 3));
  });

  test('weights that would overflow stop before the update', () => {
    const engine = createStarted([a], { schedule: { type: 'constant', learningRate: 1e39 } });
    const [end] = send(engine, a, partial(0, 4));
    const message = expect.stringMatching(
      /dense\/kernel would become -Infinity: the learning rate is too large/,
    );
    expect(end).toMatchObject({ outcome: 'failed', error: { code: 'NON_FINITE', message } });
    expect(engine.weights()).toEqual(Float32Array.of(1, 2, 3));
  });

  test('a leaf that fails on two workers ends the run, first cause first', () => {
    const engine = createStarted([a, b, c]);
    const failed = { atMs: 1, type: 'worker-failed', round: 0 } as const;
    expect(leases(engine.handle({ ...failed, worker: a, leaf: 0, message: 'out of memory' }))).toEqual([
      [b, [0]],
    ]);
    const [end] = engine.handle({ ...failed, worker: b, leaf: 0, message: 'illegal instruction' });
    const message =
      'step 1 (epoch 1): shard 0 failed on two workers, first on a: out of memory; then on b: illegal instruction';
    expect(end).toMatchObject({ type: 'end', outcome: 'failed', error: { code: 'WORKER_FAILED', message } });
  });

  test('failures on different leaves, in other rounds, or of a leaf one does not hold only cost the worker', () => {
    const engine = createStarted([a, b, c]);
    const failed = { atMs: 1, type: 'worker-failed', message: 'x' } as const;
    engine.handle({ ...failed, worker: a, round: 0, leaf: 0 });
    expect(leases(engine.handle({ ...failed, worker: b, round: 0, leaf: 1 })).length).toBe(1);
    enlist(engine, a);
    expect(engine.handle({ ...failed, worker: a, round: 0, leaf: 0 })).toEqual([]);
    expect(engine.handle({ ...failed, worker: c, round: 7, leaf: 0 })).toEqual([]);
    expect(engine.status()).toMatchObject({ phase: 'running', waitingFor: 'workers' });
  });
});

test('a plan that cannot work is refused, naming the setting', () => {
  const bad: [Parameters<typeof createPlan>[0], string][] = [
    [{ initialWeights: new Float32Array(2) }, 'initialWeights has 2 elements, the layout 3'],
    [{ shards: 0 }, 'shards must be at least 1, found 0'],
    [{ totalSteps: 1.5 }, 'totalSteps must be at least 1, found 1.5'],
    [{ l2: -1 }, 'l2 must be at least 0, found -1'],
    [
      { layout: { size: 1, parameters: [{ name: 'm', shape: [1], offset: 0, size: 1, role: 'statistic' }] } },
      'layout: m has momentum undefined, expected a number from 0 to below 1',
    ],
    [{ clipNorm: 0 }, 'clipNorm must be above 0, found 0'],
    [{ coding: { groupSize: 3, code: (gradient) => gradient } }, 'groupSize must be a power of two, found 3'],
    [{ layout: { size: 3, parameters: [] } }, 'layout: parameters fill 0 of 3 elements'],
  ];
  for (const [changes, message] of bad) expect(() => createEngine(createPlan(changes))).toThrow(message);
  const engine = createEngine(createPlan({ stepSamples: () => [0, 0, 0, 0] }));
  expect(() => engine.start(0)).toThrow(RangeError);
});
