import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { averageGradient } from '../gradients/average.ts';
import { createOptimizer } from '../optimizers/create-optimizer.ts';
import { learningRateAt } from '../schedules/learning-rate.ts';
import { addSums } from '../tree/sums.ts';
import { createTreeSum } from '../tree/tree-sum.ts';
import { isGroupNode, treeCover, treeMid } from '../tree/tree.ts';
import { createEngine } from './engine.ts';
import { roundAfter, samplesOf } from './sequence.ts';
import type {
  EngineEffect,
  EngineEvent,
  EnginePlan,
  EvaluationRecord,
  PartialSum,
  Round,
  StepRecord,
  WorkerId,
} from '../events.ts';
import type { Sums } from '../tree/sums.ts';
import type { TreeNode } from '../tree/tree.ts';

/*
 * A small world around the engine: workers whose gradients are fake, but pure functions of (weights, round, leaf),
 * and a seed that decides who joins, dies, fails or comes back and in which order messages arrive. Whatever
 * happens, the weights must end with the bits of the definition, which is computed here without the engine.
 */

type Random = () => number;

/** Uniform in [0, 1) (mulberry32). */
function createRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A plan of some steps over up to nine shards, some of them empty in some steps. */
function createPlan(seed: number): EnginePlan {
  const random = createRandom(seed);
  const draw = (count: number): number => Math.floor(random() * count);
  const shards = 1 + draw(9);
  const stepsPerEpoch = 1 + draw(3);
  const samples = Array.from({ length: stepsPerEpoch }, () => {
    const full = draw(shards);
    return Array.from({ length: shards }, (_, leaf) => (leaf === full ? 2 : draw(3)));
  });
  return {
    layout: {
      size: 5,
      parameters: [
        { name: 'kernel', shape: [2, 2], offset: 0, size: 4, role: 'kernel' },
        { name: 'bias', shape: [1], offset: 4, size: 1, role: 'bias' },
      ],
    },
    initialWeights: Float32Array.from({ length: 5 }, () => random() - 0.5),
    optimizer: { type: 'adamw' },
    schedule: { type: 'one-cycle', learningRate: 0.1 },
    l2: 0.01,
    clipNorm: 50,
    ...(draw(2) === 0 ? {} : { coding: { groupSize: 2 ** draw(4), code: roundRoughly } }),
    shards,
    stepsPerEpoch,
    totalSteps: 1 + draw(8),
    classes: 2,
    stepSamples: (step) => samples[step] ?? [],
    evaluations: {
      afterEpoch: draw(2) === 0 ? 'validation' : 'test',
      atEnd: 'test',
      blocks: { validation: [3, 0, 2], test: [5, 5, 5, 5, 1] },
    },
  };
}

/** A stand-in for a lossy codec: it keeps a few bits, and doing it twice, or before an addition, gives other numbers. */
function roundRoughly(gradient: Float32Array): Float32Array {
  return gradient.map((value) => Math.fround(Math.round(value * 8) / 8 + 0.01));
}

/** Magnitudes differ so much that any other order of additions would give other bits. */
function computeLeaf(
  plan: EnginePlan,
  round: Round,
  { leaf, weights }: { leaf: number; weights: Float32Array },
): Sums {
  const samples = samplesOf(plan, round)[leaf] ?? 0;
  const random = createRandom(round.index * 1000 + leaf);
  const loss = samples * random();
  if (round.task === 'evaluate') {
    const right = Math.round(random() * samples);
    return {
      samples,
      gradient: new Float32Array(0),
      metrics: Float64Array.of(loss, right, right, 0, samples - right, 0),
    };
  }
  const gradient = weights.map((weight) => samples * (weight + 10 ** (6 * random() - 4) - 1));
  return { samples, gradient, metrics: Float64Array.of(loss, samples) };
}

/** The final weights by the definition: a loop over the steps and the recursive tree. */
function expectedWeights(plan: EnginePlan): Float32Array {
  const optimizer = createOptimizer(plan.optimizer, plan.layout);
  const weights = plan.initialWeights.slice();
  for (let round = roundAfter(plan); round; round = roundAfter(plan, round)) {
    if (round.task === 'evaluate') continue;
    const sums = recursiveSum(plan, round, { lo: 0, hi: plan.shards, weights });
    if (!sums) throw new Error('no samples');
    averageGradient(sums.gradient, weights, { ...plan, samples: sums.samples });
    optimizer.step(
      { weights, gradient: sums.gradient },
      learningRateAt(plan.schedule, { step: round.version, ...plan }),
    );
  }
  return weights;
}

interface Node {
  readonly lo: number;
  readonly hi: number;
  readonly weights: Float32Array;
}

function recursiveSum(plan: EnginePlan, round: Round, node: Node): Sums | undefined {
  const sums = plainRecursiveSum(plan, round, node);
  const { coding } = plan;
  if (!sums || !coding || !isGroupNode(node, plan.shards, coding.groupSize)) return sums;
  return { ...sums, gradient: coding.code(sums.gradient) };
}

function plainRecursiveSum(plan: EnginePlan, round: Round, { lo, hi, weights }: Node): Sums | undefined {
  if (hi - lo === 1) {
    return samplesOf(plan, round)[lo] === 0 ? undefined : computeLeaf(plan, round, { leaf: lo, weights });
  }
  const mid = treeMid(lo, hi);
  const left = recursiveSum(plan, round, { lo, hi: mid, weights });
  const right = recursiveSum(plan, round, { lo: mid, hi, weights });
  return left && right ? addSums(left, right) : (left ?? right);
}

interface SimulatedWorker {
  readonly id: WorkerId;
  version: number;
  weights: Float32Array;
  /** Messages on their way, in order. */
  readonly outbox: EngineEvent[];
}

interface World {
  readonly weights: Float32Array;
  readonly steps: readonly Omit<StepRecord, 'contributions'>[];
  readonly evaluations: readonly EvaluationRecord[];
}

const faults = { coded: 0, kills: 0, failures: 0, returns: 0, zombies: 0, duplicates: 0 };

/** Runs a plan to its end. Without `chaos`, with one worker. */
function simulate(plan: EnginePlan, { seed, chaos }: { seed: number; chaos: boolean }): World {
  const random = createRandom(seed);
  const chance = (probability: number): boolean => random() < probability;
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];

  const engine = createEngine(plan);
  const workers = new Map<WorkerId, SimulatedWorker>();
  /** What workers that are gone had still to say. */
  const lastWords = new Map<WorkerId, EngineEvent[]>();
  const published: { vector: Float32Array; copy: Float32Array }[] = [];
  const failedRounds = new Set<number>();
  const steps: Omit<StepRecord, 'contributions'>[] = [];
  const evaluations: EvaluationRecord[] = [];
  let outcome: string | undefined;
  let atMs = 0;
  let names = 0;

  function tell(event: EngineEvent): void {
    for (const effect of engine.handle(event)) perform(effect);
    checkOwners();
  }

  function perform(effect: EngineEffect): void {
    switch (effect.type) {
      case 'prepare': {
        const { worker, shards } = effect;
        post(worker, { atMs, type: 'worker-prepared', worker, shards });
        // One that came back repeats what was lost with its old connection.
        for (const event of lastWords.get(worker) ?? []) post(worker, event);
        lastWords.delete(worker);
        break;
      }
      case 'publish':
        published.push({ vector: effect.weights, copy: effect.weights.slice() });
        for (const id of effect.workers) Object.assign(workers.get(id) ?? {}, effect);
        break;
      case 'lease':
        compute(effect);
        break;
      case 'commit': {
        const { contributions, ...record } = effect.record;
        const counted = contributions.flatMap(({ lo, hi }) =>
          Array.from({ length: hi - lo }, (_, i) => lo + i),
        );
        const samples = plan.stepSamples((record.step - 1) % plan.stepsPerEpoch);
        const present = [...samples.keys()].filter((leaf) => (samples[leaf] ?? 0) > 0);
        expect(counted.filter((leaf) => present.includes(leaf))).toEqual(present);
        expect(record.samples).toBe(samples.reduce((sum, count) => sum + count));
        steps.push(record);
        break;
      }
      case 'evaluated':
        evaluations.push(effect.record);
        break;
      case 'epoch-done':
        break;
      case 'incident':
      case 'release':
      case 'roll-back':
        throw new Error(`all are honest, and nobody is drained: ${effect.type}`);
      case 'expel':
        throw new Error(`an honest worker was put out: ${effect.message}`);
      case 'end':
        outcome = effect.outcome;
        break;
    }
  }

  function post(id: WorkerId, event: EngineEvent): void {
    workers.get(id)?.outbox.push(event);
  }

  /** What a worker does with a lease: adds neighbours itself and sends the fewest nodes. */
  function compute({ worker: id, round, leaves }: Extract<EngineEffect, { type: 'lease' }>): void {
    const worker = workers.get(id);
    if (!worker) throw new Error(`a lease for ${id}, who is not there`);
    expect(worker.version).toBe(round.version);
    if (chaos && chance(0.05) && !failedRounds.has(round.index)) {
      failedRounds.add(round.index);
      const leaf = pick(leaves) ?? 0;
      post(id, { atMs, type: 'worker-failed', worker: id, round: round.index, leaf, message: 'a fault' });
      return;
    }
    const groupSize = (round.task === 'step' && plan.coding?.groupSize) || round.leafCount;
    for (const { lo, hi } of treeCover(leaves, round.leafCount, groupSize)) {
      const sum = createTreeSum<Sums>(hi - lo, addSums);
      for (let leaf = lo; leaf < hi; leaf++) {
        sum.add({ lo: leaf - lo, hi: leaf - lo + 1 }, computeLeaf(plan, round, { leaf, ...worker }));
      }
      const value = sum.root();
      if (!value) throw new Error('a node without leaves');
      const place = { round: round.index, lo, hi, computeMs: 1 + 9 * random() };
      const partial = { ...place, ...value, ...coded({ lo, hi }, round, value.gradient) };
      post(id, { atMs, type: 'partial-arrived', worker: id, partial });
    }
  }

  /** A whole group is coded by its worker, but it need not be. */
  function coded(
    node: TreeNode,
    { task, leafCount }: Round,
    gradient: Float32Array,
  ): Pick<PartialSum, 'gradient' | 'isCoded'> {
    const { coding } = plan;
    const isGroup = coding && task === 'step' && isGroupNode(node, leafCount, coding.groupSize);
    if (!isGroup || chance(0.2)) return { gradient };
    faults.coded++;
    return { gradient: coding.code(gradient), isCoded: true };
  }

  function join(): void {
    const returning = chance(0.5) ? [...lastWords.keys()].find((id) => !workers.has(id)) : undefined;
    if (returning) faults.returns++;
    const id = returning ?? (`w${names++}` as WorkerId);
    workers.set(id, { id, version: -1, weights: new Float32Array(0), outbox: [] });
    tell({ atMs, type: 'worker-joined', worker: id });
    post(id, { atMs, type: 'worker-ready', worker: id, numericsClass: 'simulated' });
  }

  function kill({ id, outbox }: SimulatedWorker): void {
    faults.kills++;
    workers.delete(id);
    lastWords.set(
      id,
      outbox.filter(({ type }) => type === 'partial-arrived'),
    );
    tell({ atMs, type: 'worker-left', worker: id });
  }

  function deliver({ id, outbox }: SimulatedWorker): void {
    const event = outbox.shift();
    if (!event) return;
    if (event.type === 'partial-arrived' && chaos && chance(0.1)) {
      faults.duplicates++;
      outbox.unshift(copyOf(event));
    }
    if (event.type === 'worker-failed') {
      faults.failures++;
      workers.delete(id);
    }
    tell({ ...event, atMs });
  }

  function wakeZombie(): void {
    for (const [id, events] of lastWords) {
      const event = workers.has(id) ? undefined : events[0];
      if (!event) continue;
      faults.zombies++;
      tell(copyOf(event));
      return;
    }
  }

  /** No leaf waits for an owner while somebody could compute it, and every owner is there. */
  function checkOwners(): void {
    const status = engine.status();
    const ready = status.workers.filter(({ stage }) => stage === 'ready').map(({ worker }) => worker);
    for (const { owner } of status.outstanding) {
      if (owner === undefined) expect(ready).toEqual([]);
      else expect(ready).toContain(owner);
    }
  }

  const startAtMs = Math.floor(random() * 10);
  for (; outcome === undefined; atMs++) {
    if (atMs > 5000) throw new Error(`stuck: ${JSON.stringify(engine.status())}`);
    if (atMs === startAtMs) for (const effect of engine.start(atMs)) perform(effect);
    const isRough = chaos && atMs < 400;
    const victim = pick([...workers.values()]);
    if (workers.size === 0 || (isRough && workers.size < 7 && chance(0.1))) join();
    else if (isRough && victim && chance(0.05)) kill(victim);
    else if (isRough && chance(0.05)) wakeZombie();
    else {
      const sender = pick([...workers.values()].filter(({ outbox }) => outbox.length > 0));
      if (sender) deliver(sender);
    }
  }

  expect(outcome).toBe('finished');
  for (const { vector, copy } of published) expect(vector).toEqual(copy);
  return { weights: engine.weights(), steps, evaluations };
}

function copyOf(event: EngineEvent): EngineEvent {
  if (event.type !== 'partial-arrived') return event;
  const { gradient, metrics } = event.partial;
  return { ...event, partial: { ...event.partial, gradient: gradient.slice(), metrics: metrics.slice() } };
}

function bitsOf(weights: Float32Array): number[] {
  return [...new Uint32Array(weights.buffer, weights.byteOffset, weights.length)];
}

test('whoever joins, dies, fails or comes back, the bits are those of the definition', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (planSeed, seed) => {
      const plan = createPlan(planSeed);
      const calm = simulate(plan, { seed, chaos: false });
      const rough = simulate(plan, { seed, chaos: true });
      expect(bitsOf(calm.weights)).toEqual(bitsOf(expectedWeights(plan)));
      expect(bitsOf(rough.weights)).toEqual(bitsOf(calm.weights));
      expect(rough.steps).toEqual(calm.steps);
      expect(rough.evaluations).toEqual(calm.evaluations);
    }),
    { numRuns: 400, seed: 20_240_601 },
  );
  // The calm is no proof if no fault ever struck.
  for (const [fault, count] of Object.entries(faults)) expect(count, fault).toBeGreaterThan(20);
});
