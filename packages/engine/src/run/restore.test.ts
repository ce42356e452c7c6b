import { expect, test } from 'vitest';
import { createEngine, type Engine } from './engine.ts';
import type { EngineEffect, EnginePlan, WorkerId } from '../events.ts';
import type { RunState } from './run-state.ts';

const worker = 'a' as WorkerId;

const plan: EnginePlan = {
  layout: { size: 3, parameters: [{ name: 'w', shape: [3], offset: 0, size: 3, role: 'kernel' }] },
  initialWeights: Float32Array.of(1, -2, 3),
  optimizer: { type: 'adam' },
  schedule: { type: 'cosine', learningRate: 0.1 },
  shards: 4,
  stepsPerEpoch: 3,
  totalSteps: 7,
  classes: 2,
  stepSamples: () => [2, 2, 0, 1],
  evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [4, 3] } },
};

/** An engine with one worker, which computes a pure function of weights and leaf, and what it has written down. */
function createWorld(from?: RunState): {
  engine: Engine;
  /** Answers so many leases; fewer if the run ends. */
  go(rounds: number): void;
  restore(state: RunState): void;
  readonly records: unknown[];
  readonly indexes: number[];
} {
  const engine = createEngine(plan, from ? { from } : {});
  const records: unknown[] = [];
  const indexes: number[] = [];
  let weights = new Float32Array(0);
  let lease: Extract<EngineEffect, { type: 'lease' }> | undefined;
  const note = (effects: readonly EngineEffect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'publish') weights = effect.weights.slice();
      else if (effect.type === 'lease') lease = effect;
      else if (effect.type !== 'prepare') records.push(effect);
    }
  };
  engine.handle({ atMs: 0, type: 'worker-joined', worker });
  engine.handle({ atMs: 0, type: 'worker-ready', worker, numericsClass: 'n' });
  engine.handle({ atMs: 0, type: 'worker-prepared', worker, shards: [0, 1, 2, 3] });
  note(engine.start(0));
  return {
    engine,
    records,
    indexes,
    restore: (state) => note(engine.restore(state, 0)),
    go(rounds) {
      for (let i = 0; i < rounds && lease; i++) {
        const { round } = lease;
        lease = undefined;
        indexes.push(round.index);
        const isStep = round.task === 'step';
        const partial = {
          round: round.index,
          lo: 0,
          hi: round.leafCount,
          samples: isStep ? 5 : 7,
          computeMs: 1,
          gradient: isStep ? weights.map((w) => w * 0.3 + round.version) : new Float32Array(0),
          metrics: new Float64Array(isStep ? 2 : 6).fill(weights[0] ?? 0),
        };
        partial.metrics[0] = Math.abs(weights[1] ?? 0);
        partial.metrics.fill(1, 1);
        note(engine.handle({ atMs: 1, type: 'partial-arrived', worker, partial }));
      }
    },
  };
}

test.each([0, 1, 3, 4, 5, 9])(
  'a run that goes on from its state after %i rounds ends with equal bits',
  (rounds) => {
    const calm = createWorld();
    calm.go(100);
    const first = createWorld();
    first.go(rounds);
    const state = first.engine.snapshot();
    const second = createWorld(state);
    second.go(100);
    expect(second.engine.weights()).toEqual(calm.engine.weights());
    expect([...first.records, ...second.records]).toEqual(calm.records);
    expect(second.engine.status().phase).toBe('finished');
  },
);

test('a state does not change while the run goes on', () => {
  const world = createWorld();
  world.go(2);
  const state = world.engine.snapshot();
  const copy = structuredClone(state);
  world.go(3);
  expect(state).toEqual(copy);
});

test('scenario 2: going back voids the leases, sends the weights again and never uses a round index twice', () => {
  const world = createWorld();
  world.go(2);
  const state = world.engine.snapshot();
  world.go(3);
  const { engine } = world;
  if (!state) throw new Error('no state');
  world.restore(state);
  world.go(100);
  expect(world.indexes).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13]);
  const calm = createWorld();
  calm.go(100);
  expect(engine.weights()).toEqual(calm.engine.weights());
  expect(() => engine.restore(state, 0)).toThrow('restore: the run is finished');
});

test('a state of another plan is refused', () => {
  const world = createWorld();
  world.go(2);
  const state = world.engine.snapshot();
  if (!state) throw new Error('no state');
  const { firstMoment = new Float32Array(3) } = state.optimizer;
  const wrong: [RunState, string][] = [
    [{ ...state, weights: new Float32Array(2) }, 'state: 2 weights, the layout has 3'],
    [{ ...state, optimizer: {} }, 'optimizer vectors [], expected [firstMoment, secondMoment]'],
    [
      { ...state, optimizer: { firstMoment, secondMoment: new Float32Array(1) } },
      'secondMoment has 1 elements, expected 3',
    ],
  ];
  for (const [from, message] of wrong) expect(() => createEngine(plan, { from })).toThrow(message);
});
