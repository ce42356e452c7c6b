import { expect, test } from 'vitest';
import { createEngine, type Engine } from './engine.ts';
import { feedbackOf } from './feedback.ts';
import type { EngineEffect, EnginePlan, PartialSum, Round, WorkerId } from '../events.ts';

const workers = ['a', 'b', 'c', 'd'] as WorkerId[] as [WorkerId, WorkerId, WorkerId, WorkerId];
const [a, b] = workers;

/** Groups [0, 2), [2, 4), [4, 5); an epoch of six steps with periods of three, its last step without shards 1 to 4. */
const plan: EnginePlan = {
  layout: { size: 1, parameters: [{ name: 'w', shape: [1], offset: 0, size: 1, role: 'kernel' }] },
  initialWeights: Float32Array.of(1),
  optimizer: { type: 'sgd' },
  schedule: { type: 'constant', learningRate: 0.5 },
  coding: {
    groupSize: 2,
    code: () => {
      throw new Error('the engine does not know what workers keep');
    },
    feedbackSteps: 3,
  },
  shards: 5,
  stepsPerEpoch: 6,
  totalSteps: 8,
  classes: 2,
  stepSamples: (step) => (step === 5 ? [1, 0, 0, 0, 0] : [1, 1, 1, 1, 1]),
  evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [4, 3] } },
};

function enlist(engine: Engine, worker: WorkerId, atMs: number): EngineEffect[] {
  engine.handle({ atMs, type: 'worker-joined', worker });
  const [prepare] = engine.handle({ atMs, type: 'worker-ready', worker, numericsClass: 'n' });
  const shards = prepare?.type === 'prepare' ? prepare.shards : [];
  return engine.handle({ atMs, type: 'worker-prepared', worker, shards });
}

function leasesIn(effects: readonly EngineEffect[]): [WorkerId, string][] {
  return effects.flatMap((effect) =>
    effect.type === 'lease' ? [[effect.worker, effect.leaves.join(' ')] as [WorkerId, string]] : [],
  );
}

function start(...ids: readonly WorkerId[]): { engine: Engine; first: EngineEffect[] } {
  const engine = createEngine(plan);
  for (const id of ids) enlist(engine, id, 0);
  return { engine, first: engine.start(0) };
}

function partial(engine: Engine, lo: number, hi: number, isCoded: boolean): PartialSum {
  const round = engine.status().round!.index;
  const sums = { samples: hi - lo, gradient: Float32Array.of(1), metrics: Float64Array.of(1, 1) };
  return { round, lo, hi, isCoded, computeMs: 1, ...sums };
}

function send(engine: Engine, worker: WorkerId, sent: PartialSum): EngineEffect[] {
  return engine.handle({ atMs: 5, type: 'partial-arrived', worker, partial: sent });
}

/** Worker a answers all of a step. */
function step(engine: Engine, isCoded: boolean): EngineEffect[] {
  const nodes =
    engine.status().round?.step === 5
      ? [[0, 1]]
      : [
          [0, 2],
          [2, 4],
          [4, 5],
        ];
  return nodes.flatMap(([lo = 0, hi = 0]) => send(engine, a, partial(engine, lo, hi, isCoded)));
}

test('a period ends after so many steps, before the last step of an epoch, with that, and with the run', () => {
  const places = Array.from({ length: 8 }, (_, version) => {
    const round: Round = { index: 0, task: 'step', version, epoch: 0, step: 0, leafCount: 5 };
    const { since, isLast } = feedbackOf(plan, round)!;
    return `${since}${isLast ? ' last' : ''}`;
  });
  expect(places).toEqual(['0', '0', '0 last', '3', '3 last', '5 last', '6', '6 last']);
  const evaluation: Round = { index: 0, task: 'evaluate', version: 3, epoch: 0, step: 0, leafCount: 2 };
  expect(feedbackOf(plan, evaluation)).toBeUndefined();
});

test('whole groups are leased, also what a lost worker had, and alone what kills its workers', () => {
  const { engine, first } = start(a, b);
  expect(leasesIn(first)).toEqual([
    [a, '0 1 2 3'],
    [b, '4'],
  ]);
  const [, , c, d] = workers;
  expect(leasesIn(engine.handle({ atMs: 10, type: 'worker-left', worker: a, isLost: true }))).toEqual([
    [b, '0 1 2 3'],
  ]);
  enlist(engine, c, 20);
  // Twice lost: one group for each that has nothing else.
  expect(leasesIn(engine.handle({ atMs: 1_000, type: 'worker-left', worker: b, isLost: true }))).toEqual([
    [c, '4'],
  ]);
  expect(leasesIn(enlist(engine, d, 1_010))).toEqual([[d, '0 1']]);
});

test('sums come coded before the last step of a period, and whole in it', () => {
  const { engine } = start(a);
  expect(step(engine, true).map(({ type }) => type)).toContain('commit');
  expect(step(engine, true).map(({ type }) => type)).toContain('commit');
  expect(step(engine, false).map(({ type }) => type)).toContain('commit');
  for (const isWrong of [true, false]) {
    const { engine: other } = start(a);
    if (isWrong) for (const isCoded of [true, true]) step(other, isCoded);
    const [effect] = send(other, a, partial(other, 0, 2, isWrong));
    expect(effect).toMatchObject({ type: 'expel', message: expect.stringMatching(/feedback/) as string });
  }
});

test('a snapshot lies between periods', () => {
  const { engine } = start(a);
  const found = [true, true, false, true, false, false].map((isCoded) => {
    step(engine, isCoded);
    return engine.snapshot()?.lastRound?.version;
  });
  expect(found).toEqual([undefined, undefined, 2, undefined, 4, 5]);
  const state = engine.snapshot()!;
  const within = { ...state, lastRound: { ...state.lastRound!, version: 3 } };
  expect(() => createEngine(plan, { from: within })).toThrow(/within a period/);
});

test.each([
  [{ feedbackSteps: 1 }, {}, 'coding.feedbackSteps must be at least 2, found 1'],
  [{}, { maxStaleness: 1 }, 'coding.feedbackSteps: not possible with maxStaleness'],
])('%o with %o cannot work', (coding, more, message) => {
  expect(() => createEngine({ ...plan, ...more, coding: { ...plan.coding!, ...coding } })).toThrow(message);
});
