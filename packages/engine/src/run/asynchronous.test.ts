import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEngine } from './engine.ts';
import type { EngineEffect, EnginePlan, EvaluationRecord, StepRecord, WorkerId } from '../events.ts';

const shards = 3;
const target = Float32Array.of(3, -2, 0.5);

/** Descends to `target`. Step s of an epoch has s + 1 samples in the first shard, so that a record tells which step it was. */
function createPlan(changes: Partial<EnginePlan> = {}): EnginePlan {
  return {
    layout: {
      size: 3,
      parameters: [{ name: 'kernel', shape: [3], offset: 0, size: 3, role: 'kernel' }],
    },
    initialWeights: new Float32Array(3),
    optimizer: { type: 'sgd' },
    schedule: { type: 'constant', learningRate: 0.1 },
    maxStaleness: 3,
    shards,
    stepsPerEpoch: 8,
    totalSteps: 20,
    classes: 1,
    stepSamples: (step) => [step + 1, 0, 1000],
    evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [4, 4] } },
    ...changes,
  };
}

interface Task {
  readonly effect: Extract<EngineEffect, { type: 'lease' }>;
  readonly weights: Float32Array;
}

interface World {
  readonly steps: StepRecord[];
  readonly evaluations: EvaluationRecord[];
  readonly weights: Float32Array;
  readonly unused: number;
  readonly lost: number;
}

/** Up to five workers; a generator decides who answers next and who is killed (its work is lost; another one joins). */
function simulate(plan: EnginePlan, pick: (count: number) => number, deadly: boolean): World {
  const engine = createEngine(plan);
  const tasks = new Map<WorkerId, Task[]>();
  const held = new Map<WorkerId, Float32Array>();
  const world = {
    steps: [] as StepRecord[],
    evaluations: [] as EvaluationRecord[],
    unused: 0,
    lost: 0,
    outcome: '',
  };
  let [atMs, joined] = [0, 0];

  const perform = (effects: readonly EngineEffect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'publish') for (const id of effect.workers) held.set(id, effect.weights);
      if (effect.type === 'lease') {
        const weights = held.get(effect.worker) ?? new Float32Array(0);
        tasks.get(effect.worker)?.push({ effect, weights });
      }
      if (effect.type === 'commit') world.steps.push(effect.record);
      if (effect.type === 'evaluated') world.evaluations.push(effect.record);
      if (effect.type === 'end') world.outcome = effect.outcome;
      if (effect.type === 'expel') throw new Error(`an honest worker was put out: ${effect.message}`);
    }
  };
  const join = (): void => {
    const worker = `w${joined++}` as WorkerId;
    tasks.set(worker, []);
    perform(engine.handle({ atMs, type: 'worker-joined', worker }));
    const [prepare] = engine.handle({ atMs, type: 'worker-ready', worker, numericsClass: 'n' });
    expect(prepare).toMatchObject({ type: 'prepare', shards: [0, 1, 2] });
    perform(engine.handle({ atMs, type: 'worker-prepared', worker, shards: [0, 1, 2] }));
  };
  const answer = (worker: WorkerId, { effect, weights }: Task): void => {
    const { round, leaves } = effect;
    const before = world.steps.length + world.evaluations.length;
    const isStep = round.task === 'step';
    if (isStep) expect(leaves).toEqual([0, 2]);
    // Shard 1 has nothing: a worker sends what covers its leaves.
    for (const leaf of leaves) {
      const samples = isStep ? (leaf === 0 ? round.step + 1 : 1000) : 4;
      const gradient = isStep
        ? weights.map((weight, i) => samples * (weight - (target[i] ?? 0)))
        : new Float32Array(0);
      const metrics = new Float64Array(isStep ? 2 : 3);
      const partial = {
        round: round.index,
        lo: leaf,
        hi: leaf + 1,
        samples,
        computeMs: 1,
        gradient,
        metrics,
      };
      perform(engine.handle({ atMs, type: 'partial-arrived', worker, partial }));
    }
    if (isStep && world.steps.length + world.evaluations.length === before) world.unused += 1;
  };

  for (let n = 0; n < 5; n += 1) join();
  perform(engine.start(0));
  for (; world.outcome === ''; atMs += 1) {
    if (atMs > 5000) throw new Error(`stuck: ${JSON.stringify(engine.status())}`);
    const working = [...tasks].filter(([, queue]) => queue.length > 0);
    const [worker, queue] = working[pick(working.length)] ?? [];
    if (!worker || !queue) throw new Error(`nobody has work: ${JSON.stringify(engine.status())}`);
    if (deadly && atMs < 200 && pick(6) === 0) {
      tasks.delete(worker);
      world.lost += 1;
      perform(engine.handle({ atMs, type: 'worker-left', worker }));
      join();
    } else {
      answer(worker, queue.shift() as Task);
    }
  }
  expect(world.outcome).toBe('finished');
  expect(engine.status()).toMatchObject({ phase: 'finished', waitingFor: 'nothing', outstanding: [] });
  return { ...world, weights: engine.weights() };
}

function ascending(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

test('whoever answers when: an epoch uses each sample once, no gradient is older than allowed, weights converge', () => {
  let [unused, lost, stale] = [0, 0, 0];
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.nat(1_000_000)),
      fc.nat(4),
      fc.boolean(),
      (stream, maxStaleness, deadly) => {
        const pick = (count: number): number => Number(stream.next().value) % count;
        const world = simulate(createPlan({ maxStaleness }), pick, deadly);
        const order = world.steps.map(({ samples }) => samples - 1001);
        expect(ascending(order.slice(0, 8))).toEqual([...Array(8).keys()]);
        expect(ascending(order.slice(8, 16))).toEqual([...Array(8).keys()]);
        expect(ascending(order.slice(16))).toEqual([0, 1, 2, 3]);
        expect(world.steps.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
        expect(world.evaluations.map(({ step }) => step)).toEqual([8, 16, 20]);
        for (const { staleness } of world.steps) {
          expect(staleness).toBeLessThanOrEqual(maxStaleness);
          if (staleness) stale += 1;
        }
        for (const [i, weight] of world.weights.entries()) {
          expect(Math.abs(weight - (target[i] ?? 0))).toBeLessThan(0.4 * Math.abs(target[i] ?? 0));
        }
        unused += world.unused;
        lost += world.lost;
      },
    ),
    { numRuns: 60, seed: 7 },
  );
  // The test is no test if nothing was ever late, lost or too late.
  for (const count of [unused, lost, stale]) expect(count).toBeGreaterThan(20);
});

test('one worker at a time, in order, is plain descent', () => {
  const { weights, steps } = simulate(createPlan({ maxStaleness: 0 }), () => 0, false);
  const expected = target.map((x) => x * (1 - 0.9 ** 20));
  for (const [i, weight] of weights.entries()) expect(weight).toBeCloseTo(expected[i] ?? 0, 5);
  expect(steps.every(({ staleness }) => staleness === 0)).toBe(true);
});

test('the status names the oldest step on its way; nobody there: the next one waits for workers', () => {
  const engine = createEngine(createPlan());
  engine.start(5);
  const [a, b] = ['a', 'b'] as WorkerId[] as [WorkerId, WorkerId];
  expect(engine.status()).toMatchObject({
    waitingFor: 'workers',
    round: { step: 0 },
    outstanding: [{ leaf: 0 }, {}, {}],
  });
  for (const worker of [a, b]) {
    engine.handle({ atMs: 6, type: 'worker-joined', worker });
    engine.handle({ atMs: 6, type: 'worker-ready', worker, numericsClass: 'n' });
    engine.handle({ atMs: 6, type: 'worker-prepared', worker, shards: [0, 1, 2] });
  }
  expect(engine.status()).toMatchObject({
    waitingFor: 'leases',
    round: { index: 0, step: 0 },
    outstanding: [
      { leaf: 0, owner: a },
      { leaf: 2, owner: a },
      { leaf: 0, owner: b },
      { leaf: 2, owner: b },
    ],
    workers: [{ load: 2 }, { load: 2 }],
    spares: [],
  });
});

test('a gradient that is not finite is computed by another worker, whose word counts', () => {
  const [a, b] = ['a', 'b'] as [WorkerId, WorkerId];
  const start = (): { send: (worker: WorkerId, round: number, value: number) => EngineEffect[] } => {
    const engine = createEngine(createPlan({ maxStaleness: 0, totalSteps: 2 }));
    for (const worker of [a, b]) {
      engine.handle({ atMs: 0, type: 'worker-joined', worker });
      engine.handle({ atMs: 0, type: 'worker-ready', worker, numericsClass: 'n' });
      engine.handle({ atMs: 0, type: 'worker-prepared', worker, shards: [0, 1, 2] });
    }
    engine.start(0);
    const send = (worker: WorkerId, round: number, value: number): EngineEffect[] => {
      const sums = {
        samples: 1001,
        gradient: new Float32Array(3).fill(value),
        metrics: Float64Array.of(1, 1),
      };
      const partial = { round, lo: 0, hi: 3, computeMs: 1, ...sums };
      return engine.handle({ atMs: 1, type: 'partial-arrived', worker, partial });
    };
    return { send };
  };
  const one = start();
  expect(one.send(a, 0, NaN)).toMatchObject([
    { type: 'publish', workers: [b] },
    { type: 'lease', worker: b },
  ]);
  expect(one.send(b, 1, 1)).toContainEqual(expect.objectContaining({ type: 'commit' }));
  const other = start();
  other.send(a, 0, NaN);
  expect(other.send(b, 1, Infinity)).toMatchObject([{ type: 'end', error: { code: 'NON_FINITE' } }]);
});

test('a step that fails on two workers ends the run; an impossible partial puts its worker out', () => {
  const engine = createEngine(createPlan());
  const enlist = (worker: WorkerId): EngineEffect[] => {
    engine.handle({ atMs: 0, type: 'worker-joined', worker });
    engine.handle({ atMs: 0, type: 'worker-ready', worker, numericsClass: 'n' });
    return engine.handle({ atMs: 0, type: 'worker-prepared', worker, shards: [0, 1, 2] });
  };
  engine.start(0);
  const [a, b] = ['a', 'b'] as WorkerId[] as [WorkerId, WorkerId];
  enlist(a);
  const failed = { atMs: 1, type: 'worker-failed', leaf: 2 } as const;
  expect(engine.handle({ ...failed, worker: a, round: 0, message: 'out of memory' })).toEqual([]);
  expect(enlist(b)).toMatchObject([{ type: 'publish' }, { type: 'lease', round: { index: 1, step: 0 } }]);
  const [end] = engine.handle({ ...failed, worker: b, round: 1, message: 'again' });
  expect(end).toMatchObject({
    outcome: 'failed',
    error: { message: expect.stringContaining('failed on two workers') },
  });

  const other = createEngine(createPlan());
  other.start(0);
  other.handle({ atMs: 0, type: 'worker-joined', worker: a });
  other.handle({ atMs: 0, type: 'worker-ready', worker: a, numericsClass: 'n' });
  other.handle({ atMs: 0, type: 'worker-prepared', worker: a, shards: [0, 1, 2] });
  const partial = {
    lo: 0,
    hi: 1,
    samples: 1,
    computeMs: 1,
    gradient: new Float32Array(3),
    metrics: new Float64Array(2),
  };
  const effects = other.handle({
    atMs: 1,
    type: 'partial-arrived',
    worker: a,
    partial: { round: 9, ...partial },
  });
  expect(effects).toMatchObject([{ type: 'expel', message: 'partial for round 9, which has not begun' }]);
});
