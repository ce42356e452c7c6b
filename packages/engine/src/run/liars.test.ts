import { describe, expect, test } from 'vitest';
import { plainVectors } from '../vectors/plain-vectors.ts';
import { addSums, type Sums } from '../tree/sums.ts';
import { treeCover, treeMid } from '../tree/tree.ts';
import { createEngine } from './engine.ts';
import type { EngineEffect, EnginePlan, PartialSum, Round, WorkerId } from '../events.ts';
import { stepsIn, type RunState } from './run-state.ts';
import type { EngineOptions } from './engine.ts';

/*
 * Workers that compute wrong numbers, among honest ones. A calm run says what the weights must be; a small driver plays the
 * coordinator: it keeps a snapshot after every third step and goes back to one when the engine asks for it.
 */

const shards = 8;
const plan: EnginePlan = {
  layout: { size: 4, parameters: [{ name: 'w', shape: [4], offset: 0, size: 4, role: 'kernel' }] },
  initialWeights: Float32Array.of(0.5, -1, 2, 0.25),
  optimizer: { type: 'adam' },
  schedule: { type: 'constant', learningRate: 0.05 },
  shards,
  stepsPerEpoch: 5,
  totalSteps: 15,
  classes: 2,
  stepSamples: () => Array.from({ length: shards }, () => 2),
  evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [3, 3, 3] } },
};

/** Uniform in [0, 1), by the numbers alone. */
function draw(...numbers: number[]): number {
  const hash = plainVectors.checksum(Float32Array.from(numbers));
  return Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32;
}

interface Task {
  readonly round: Round;
  readonly lo: number;
  readonly hi: number;
}

/** The sum over a node: a pure function of weights, version and node. */
function compute({ round, lo, hi }: Task, weights: Float32Array): PartialSum {
  const isStep = round.task === 'step';
  const sums = computeSums({ round, lo, hi }, weights);
  const gradient = isStep ? sums.gradient : new Float32Array(0);
  const metrics = new Float64Array(isStep ? 2 : 6).fill(sums.samples);
  metrics[0] = sums.metrics[0] ?? 0;
  return { ...sums, round: round.index, lo, hi, computeMs: 1, gradient, metrics };
}

function computeSums({ round, lo, hi }: Task, weights: Float32Array): Sums {
  if (hi - lo > 1) {
    const mid = treeMid(lo, hi);
    return addSums(
      computeSums({ round, lo, hi: mid }, weights),
      computeSums({ round, lo: mid, hi }, weights),
    );
  }
  const gradient = weights.map((weight, i) => weight + draw(round.version, lo, i));
  const loss = gradient.reduce((sum, value) => sum + value * value, 0);
  return { samples: round.task === 'step' ? 2 : 3, gradient, metrics: Float64Array.of(loss) };
}

/** What a liar knows when it answers. */
interface Temptation extends Task {
  readonly honest: PartialSum;
  readonly weights: Float32Array;
  /** Of the version before. */
  readonly oldWeights: Float32Array;
  /** What it answered for this node in the step before, if it did. */
  readonly last: PartialSum | undefined;
  /** Whether it has had a lease in this round before: then somebody else may have this node too. */
  readonly isSecond: boolean;
}

type Lie = (temptation: Temptation) => PartialSum;

interface Outcome {
  readonly weights: Float32Array;
  readonly commits: unknown[];
  readonly expelled: Set<WorkerId>;
  readonly codes: Set<string>;
  readonly incidents: number;
  readonly rollBacks: { step: number; unverified: number }[];
  readonly end: Extract<EngineEffect, { type: 'end' }> | undefined;
  readonly status: ReturnType<ReturnType<typeof createEngine>['status']>;
}

function run(
  lies: Readonly<Record<string, Lie | undefined>>,
  verify?: EngineOptions['verify'],
  seed = 1,
): Outcome {
  const engine = createEngine(plan, { verify });
  const ids = Object.keys(lies) as WorkerId[];
  const held = new Map(ids.map((id) => [id, { weights: new Float32Array(0), old: new Float32Array(0) }]));
  const answers = new Map<string, PartialSum>();
  let outbox: { worker: WorkerId; task: Task; isSecond: boolean }[] = [];
  const leased = new Set<string>();
  const commits: unknown[] = [];
  const snapshots: RunState[] = [];
  const expelled = new Set<WorkerId>();
  const codes = new Set<string>();
  const rollBacks: Outcome['rollBacks'] = [];
  let incidents = 0;
  let end: Outcome['end'];
  let atMs = 0;

  const perform = (effects: readonly EngineEffect[]): void => effects.forEach((effect) => apply(effect));
  const apply = (effect: EngineEffect): void => {
    if (effect.type === 'publish') {
      for (const id of effect.workers) {
        const weights = effect.weights.slice();
        held.set(id, { weights, old: held.get(id)?.weights ?? weights });
      }
    }
    if (effect.type === 'lease') {
      const { worker, round, leaves } = effect;
      const isSecond = leased.has(`${worker} ${round.index}`);
      leased.add(`${worker} ${round.index}`);
      for (const node of treeCover(leaves, round.leafCount)) {
        outbox.push({ worker, task: { round, ...node }, isSecond });
      }
    }
    if (effect.type === 'commit') {
      const { contributions, ...record } = effect.record;
      expect(contributions.length).toBeGreaterThan(0);
      commits.push(record);
      const state = record.step % 3 === 0 ? engine.snapshot() : undefined;
      if (state) snapshots.push(state);
    }
    if (effect.type === 'expel') {
      expelled.add(effect.worker);
      codes.add(effect.code);
      outbox = outbox.filter(({ worker }) => worker !== effect.worker);
    }
    if (effect.type === 'incident') incidents += 1;
    if (effect.type === 'roll-back') {
      rollBacks.push({ step: effect.step, unverified: effect.unverified.length });
      const state = snapshots.filter((each) => stepsIn(each) <= effect.step).at(-1) ?? first;
      commits.length = stepsIn(state);
      perform(engine.restore(state, atMs));
    }
    if (effect.type === 'end') {
      end = effect;
      outbox = [];
    }
  };
  const first = engine.snapshot() ?? {
    weights: plan.initialWeights,
    optimizer: {},
    epochTotals: { samples: 0, loss: 0, correct: 0 },
  };
  for (const worker of ids) {
    perform(engine.handle({ atMs, type: 'worker-joined', worker }));
    const prepare = engine.handle({ atMs, type: 'worker-ready', worker, numericsClass: 'n' });
    const shardsOf = prepare.flatMap((effect) => (effect.type === 'prepare' ? effect.shards : []));
    perform(engine.handle({ atMs, type: 'worker-prepared', worker, shards: shardsOf }));
  }
  perform(engine.start(atMs));
  for (; outbox.length > 0 && atMs < 1e7; atMs++) {
    const senders = [...new Set(outbox.map(({ worker }) => worker))];
    const worker = senders[Math.floor(draw(seed, atMs) * senders.length)]!;
    const index = outbox.findIndex((each) => each.worker === worker);
    const [message] = outbox.splice(index, 1);
    if (!message) break;
    const { weights, old } = held.get(worker)!;
    const { task, isSecond } = message;
    const honest = compute(task, weights);
    const key = `${worker} ${task.lo} ${task.hi} ${task.round.task} ${task.round.version - 1}`;
    const tempted = { ...task, honest, weights, oldWeights: old, last: answers.get(key), isSecond };
    const sent = lies[worker]?.(tempted) ?? honest;
    const copy = { ...honest, gradient: honest.gradient.slice() };
    answers.set(`${worker} ${task.lo} ${task.hi} ${task.round.task} ${task.round.version}`, copy);
    perform(
      engine.handle({ atMs, type: 'partial-arrived', worker, partial: { ...sent, round: task.round.index } }),
    );
    while (outbox.length === 0 && engine.nextDeadlineMs() !== undefined) {
      atMs = engine.nextDeadlineMs() ?? atMs;
      perform(engine.handle({ atMs, type: 'time-passed' }));
    }
  }
  return {
    weights: engine.weights(),
    commits,
    expelled,
    codes,
    incidents,
    rollBacks,
    end,
    status: engine.status(),
  };
}

const calm = run({ a: undefined });

function withGradient(honest: PartialSum, change: (value: number, i: number) => number): PartialSum {
  return { ...honest, gradient: honest.gradient.map(change) };
}

function flipBit({ honest }: Temptation, bit: number): PartialSum {
  const gradient = honest.gradient.slice();
  const words = new Uint32Array(gradient.buffer);
  if (words.length > 0) words[1]! ^= 1 << bit;
  return { ...honest, gradient };
}

function once(lie: Lie, when: (temptation: Temptation) => boolean): Lie {
  let isDone = false;
  return (temptation) => {
    if (isDone || !when(temptation)) return temptation.honest;
    isDone = true;
    return lie(temptation);
  };
}

const isStep = ({ round }: Temptation): boolean => round.task === 'step';
/** Everything is computed twice, or a third of it: then the liar lies all the time. */
const all = { share: 1, draw: (round: number, leaf: number) => draw(7, round, leaf) };
const third = { ...all, share: 0.3 };

const collude: Lie = ({ honest }) => withGradient(honest, (value) => value * 3);

type Case = [string, EngineOptions['verify'], () => Record<string, Lie | undefined>, readonly string[]];

const honest = { a: undefined, b: undefined, c: undefined };
const cases: Case[] = [
  [
    'one bit in one contribution',
    all,
    () => ({
      ...honest,
      x: once(
        (t) => flipBit(t, 0),
        (t) => t.round.version === 9,
      ),
    }),
    ['x'],
  ],
  [
    'the sign of a zero or a number',
    all,
    () => ({ ...honest, x: once((t) => flipBit(t, 31), isStep) }),
    ['x'],
  ],
  [
    'bits now and then',
    all,
    () => ({
      ...honest,
      x: (t) => (draw(t.round.index, t.lo) < 0.1 && isStep(t) ? flipBit(t, 7) : t.honest),
    }),
    ['x'],
  ],
  ['stale weights', third, () => ({ ...honest, x: (t) => compute(t, t.oldWeights) }), ['x']],
  [
    'another shard',
    third,
    () => ({
      ...honest,
      x: (t) => ({ ...compute({ ...t, lo: t.lo + 1, hi: t.hi + 1 }, t.weights), lo: t.lo, hi: t.hi }),
    }),
    ['x'],
  ],
  ['zeros', third, () => ({ ...honest, x: (t) => withGradient(t.honest, () => 0) }), ['x']],
  [
    'only after eight honest steps',
    third,
    () => ({ ...honest, x: (t) => (t.round.version < 8 ? t.honest : withGradient(t.honest, (v) => v + 1)) }),
    ['x'],
  ],
  ['two that collude, of five', third, () => ({ ...honest, x: collude, y: collude }), ['x', 'y']],
  [
    'scenario 6: an auditor that is broken',
    all,
    () => ({ ...honest, x: (t) => (t.isSecond ? withGradient(t.honest, (v) => -v) : t.honest) }),
    ['x'],
  ],
  [
    'scenario 6: one shard only',
    all,
    () => ({ ...honest, x: (t) => (t.lo <= 6 && t.hi > 6 && isStep(t) ? flipBit(t, 3) : t.honest) }),
    ['x'],
  ],
  [
    'NaN, though nobody is verified',
    undefined,
    () => ({
      ...honest,
      x: once(
        ({ honest: h }) => withGradient(h, () => NaN),
        (t) => t.round.version === 5,
      ),
    }),
    ['x'],
  ],
  [
    'an absurd gradient, though nobody is verified',
    undefined,
    () => ({
      ...honest,
      x: once(
        ({ honest: h }) => withGradient(h, (value) => value * 1e6),
        (t) => t.round.version === 5,
      ),
    }),
    ['x'],
  ],
  [
    'one absurd element in the first step, though nobody is verified',
    undefined,
    () => ({
      ...honest,
      x: once(
        ({ honest: h }) => withGradient(h, (value, i) => (i === 2 ? 1e30 : value)),
        (t) => t.round.version === 0 && t.round.task === 'step',
      ),
    }),
    ['x'],
  ],
  [
    'an infinite loss, though nobody is verified',
    undefined,
    () => ({
      ...honest,
      x: once(
        ({ honest: h }) => ({ ...h, metrics: h.metrics.map((v, i) => (i === 0 ? Infinity : v)) }),
        isStep,
      ),
    }),
    ['x'],
  ],
  [
    'NaN, with one honest worker',
    undefined,
    () => ({ a: undefined, x: once(({ honest: h }) => withGradient(h, () => NaN), isStep) }),
    ['x'],
  ],
  [
    'a scaled gradient',
    third,
    () => ({ ...honest, x: (t) => withGradient(t.honest, (v) => v * 1.001) }),
    ['x'],
  ],
  [
    'wrong metrics',
    third,
    () => ({
      ...honest,
      x: ({ honest: h }) => ({ ...h, metrics: h.metrics.map((v, i) => (i === 0 ? v * 0.9 : v)) }),
    }),
    ['x'],
  ],
  ['the other sign', third, () => ({ ...honest, x: (t) => withGradient(t.honest, (v) => -v) }), ['x']],
  [
    'the step before again',
    third,
    () => ({
      ...honest,
      x: (t) =>
        isStep(t) ? { ...t.honest, gradient: t.last?.gradient.slice() ?? new Float32Array(4) } : t.honest,
    }),
    ['x'],
  ],
  [
    'a wrong number of samples',
    undefined,
    () => ({ ...honest, x: once(({ honest: h }) => ({ ...h, samples: h.samples + 1 }), isStep) }),
    ['x'],
  ],
  [
    'three liars of seven, each in its own way',
    third,
    () => ({
      ...honest,
      d: undefined,
      x: collude,
      y: (t) => flipBit(t, 1),
      z: (t) => withGradient(t.honest, () => 0),
    }),
    ['x', 'y', 'z'],
  ],
];

describe.each([1, 2, 3])('order of arrival %i', (seed) => {
  test.each(cases)(
    '%s: put out, nobody else is, and the weights are those of the calm run',
    (_, verify, lies, liars) => {
      const outcome = run(lies(), verify, seed);
      expect(outcome.end).toMatchObject({ outcome: 'finished' });
      expect([...outcome.expelled].toSorted()).toEqual(liars);
      expect(outcome.weights).toEqual(calm.weights);
      expect(outcome.commits).toEqual(calm.commits);
    },
  );
});

test('what a convicted worker has answered elsewhere counts no more, even if nobody else is left to contradict it', () => {
  const engine = createEngine(
    {
      ...plan,
      layout: { size: 1, parameters: [{ name: 'w', shape: [1], offset: 0, size: 1, role: 'kernel' }] },
      initialWeights: Float32Array.of(0),
      optimizer: { type: 'sgd' },
      schedule: { type: 'constant', learningRate: 1 },
      shards: 3,
      stepSamples: () => [1, 1, 1],
    },
    { verify: all },
  );
  let atMs = 0;
  const handle = (event: object): EngineEffect[] =>
    engine.handle({ ...event, atMs: (atMs += 1) } as Parameters<typeof engine.handle>[0]);
  const join = (worker: string): void => {
    handle({ type: 'worker-joined', worker });
    handle({ type: 'worker-ready', worker, numericsClass: 'n' });
    handle({ type: 'worker-prepared', worker, shards: [0, 1, 2] });
  };
  /** Right is 1 for each shard. */
  const answer = (worker: string, lo: number, hi: number, value: number): EngineEffect[] => {
    const sums = { lo, hi, samples: hi - lo, gradient: Float32Array.of(value), metrics: new Float64Array(2) };
    return handle({ type: 'partial-arrived', worker, partial: { ...sums, round: 0, computeMs: 1 } });
  };
  engine.start(0);
  for (const worker of ['x', 'b', 'c']) join(worker);
  answer('x', 0, 2, 9);
  answer('x', 2, 3, 9);
  answer('b', 0, 2, 2);
  expect(answer('c', 0, 2, 2)).toContainEqual(expect.objectContaining({ type: 'expel', worker: 'x' }));
  for (const worker of ['b', 'c']) handle({ type: 'worker-left', worker, isLost: true });
  join('d');
  answer('d', 2, 3, 1);
  expect([engine.status().round?.version, engine.weights()]).toEqual([1, Float32Array.of(-1)]);
});

test('honest workers agree: no incident, nobody put out, however many leases are computed twice', () => {
  for (const verify of [all, third, undefined]) {
    const outcome = run({ ...honest, d: undefined }, verify);
    expect(outcome).toMatchObject({ incidents: 0, rollBacks: [], end: { outcome: 'finished' } });
    expect(outcome.expelled.size).toBe(0);
    expect(outcome.weights).toEqual(calm.weights);
  }
});

test('the unverified contributions of a liar are listed, and undone by going back before the first of them', () => {
  const outcome = run(
    { ...honest, x: (t) => (t.round.version < 8 ? t.honest : withGradient(t.honest, (v) => v + 1)) },
    { ...all, share: 0.1 },
  );
  expect(outcome.rollBacks.length).toBeGreaterThan(0);
  expect(outcome.rollBacks[0]?.unverified).toBeGreaterThan(0);
  expect(outcome.codes).toEqual(new Set(['WRONG_NUMBERS']));
  expect(outcome.weights).toEqual(calm.weights);
});

const lieAtLast: Lie = ({ honest: h, round }) =>
  round.task === 'evaluate' && round.version === plan.totalSteps
    ? { ...h, metrics: h.metrics.with(0, 0) }
    : h;

test('the last evaluation is computed twice: no later answer could show who lied in it', () => {
  const outcome = run({ x: lieAtLast, ...honest }, { ...all, share: 1e-9 });
  expect([...outcome.expelled]).toEqual(['x']);
  expect(outcome.end).toMatchObject({ outcome: 'finished' });
  expect(run({ x: lieAtLast, ...honest }).expelled.size).toBe(0);
});

const dodge: Lie = (t) => {
  if (!t.isSecond || t.hi - t.lo < 2) return t.honest;
  const half = compute({ ...t, hi: treeMid(t.lo, t.hi) }, t.weights);
  return { ...half, gradient: half.gradient.map((value) => value + 1) };
};

test('an auditor that answers with other leaves than it was asked for holds nothing up', () => {
  const outcome = run({ ...honest, x: dodge }, all);
  expect(outcome.end).toMatchObject({ outcome: 'finished' });
  expect(outcome.weights).toEqual(calm.weights);
});

test('two workers that disagree wait for a third', () => {
  const outcome = run({ a: undefined, x: (t) => withGradient(t.honest, (v) => v + 1) }, all);
  expect(outcome.end).toBeUndefined();
  expect(outcome.expelled.size).toBe(0);
  expect(outcome.status).toMatchObject({
    waitingFor: 'checks',
    checks: [{ isDispute: true, awaited: [] }, {}],
  });
});

const diverged: Lie = (t) => (t.round.version === 4 ? withGradient(t.honest, () => NaN) : t.honest);

test('a NaN that two workers agree on ends the run', () => {
  for (const workers of [
    { a: diverged },
    { a: diverged, b: diverged },
    { a: diverged, b: diverged, c: diverged },
  ]) {
    const outcome = run(workers);
    expect(outcome.end).toMatchObject({ outcome: 'failed', error: { code: 'NON_FINITE' } });
    expect(outcome.expelled.size).toBe(0);
  }
});

test('scenario 6, nobody verified: a worker found wrong by chance is undone from its first contribution on', () => {
  const lie = once(
    ({ honest: h }) => withGradient(h, (value) => value * 1e6),
    (t) => t.round.version === 5,
  );
  const outcome = run({ ...honest, x: lie });
  expect(outcome.rollBacks).toEqual([{ step: 0, unverified: expect.any(Number) as number }]);
  expect(outcome.weights).toEqual(calm.weights);
});

const spike: Lie = (t) => (t.round.version === 4 ? withGradient(t.honest, (v) => v * 1e6) : t.honest);

test('gradients that really are a million times as large as before are used once a second worker has found them too', () => {
  const outcome = run({ a: spike, b: spike, c: spike });
  expect(outcome).toMatchObject({ incidents: 0, rollBacks: [], end: { outcome: 'finished' } });
  expect(outcome.expelled.size).toBe(0);
  expect(run({ a: spike }).weights).toEqual(outcome.weights);
});

test('a share that is none, and asynchronous steps, are refused', () => {
  expect(() => createEngine(plan, { verify: { ...all, share: 2 } })).toThrow(
    'verify.share must be from 0 to 1',
  );
  expect(() => createEngine({ ...plan, maxStaleness: 1 }, { verify: all })).toThrow(
    'not possible with maxStaleness',
  );
});

test.each([
  ['a loss that no sum can hold', 0, 1.7e308],
  ['more right answers than there can be', 1, 1e300],
])('%s is refused', (_, index, value) => {
  const lie: Lie = ({ honest: h, round }) =>
    round.version === 2 ? { ...h, metrics: h.metrics.with(index, value) } : h;
  const outcome = run({ a: undefined, x: lie });
  expect([[...outcome.expelled], outcome.codes]).toEqual([['x'], new Set(['MESSAGE_INVALID'])]);
  expect(outcome.weights).toEqual(calm.weights);
});
