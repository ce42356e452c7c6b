import { createLeaseTable } from '../leases/lease-table.ts';
import { createLeafSharing } from '../leases/share-leaves.ts';
import { createSpeedMeter } from '../leases/speed.ts';
import { addSums } from '../tree/sums.ts';
import { createTreeSum } from '../tree/tree-sum.ts';
import { codeGroups, type CodedSums } from './code-groups.ts';
import { optimizerAt } from './run-state.ts';
import { samplesOf } from './sequence.ts';
import type { Contribution, EngineEffect, EngineEvent, EnginePlan, Round, WorkerId } from '../events.ts';
import type { LeaseTable } from '../leases/lease-table.ts';
import type { LeafSharing } from '../leases/share-leaves.ts';
import type { SpeedMeter } from '../leases/speed.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { TreeSum } from '../tree/tree-sum.ts';
import type { VectorMath } from '../vectors/vector-math.ts';
import type { RunState } from './run-state.ts';
import type { StepPool } from './step-pool.ts';

/** `joined`: builds its model. `preparing`: fetches its data. `ready`: takes leases. */
export type WorkerStage = 'joined' | 'preparing' | 'ready';

/** A worker that is connected. */
export interface Worker {
  readonly id: WorkerId;
  readonly threads: number;
  stage: WorkerStage;
  numericsClass: string | undefined;
  /** The shards that it was asked to prepare. */
  askedShards: readonly number[];
  /** The weights it holds. */
  version: number | undefined;
  readonly speed: SpeedMeter;
}

/** What a worker that has joined did. */
export type WorkerEvent = Exclude<
  Extract<EngineEvent, { readonly worker: WorkerId }>,
  { readonly type: 'worker-joined' }
>;

/** The worker event of one type. */
export type WorkerEventOf<Type extends WorkerEvent['type']> = Extract<WorkerEvent, { readonly type: Type }>;

/** A worker that could not compute a leaf. */
export interface Failure {
  readonly worker: WorkerId;
  readonly message: string;
}

/** The round being computed. */
export interface ActiveRound {
  readonly round: Round;
  readonly leases: LeaseTable;
  readonly sum: TreeSum<CodedSums>;
  readonly contributions: Contribution[];
  /** The first failure on each leaf. */
  readonly failures: Map<number, Failure>;
  /** Asynchronous only: updates made since the weights were sent. */
  readonly staleness?: number;
}

/** Sums over the training samples of the epoch so far. */
export interface EpochTotals {
  samples: number;
  loss: number;
  correct: number;
}

/** Everything the engine knows. */
export interface Run {
  readonly plan: EnginePlan;
  /** Computes on vectors of weights and gradients. */
  readonly vectors: VectorMath;
  optimizer: Optimizer;
  readonly sharing: LeafSharing;
  /** In the order of joining. */
  readonly workers: Map<WorkerId, Worker>;
  phase: 'new' | 'running' | 'finished' | 'stopped' | 'failed';
  /** Replaced, never changed: published vectors are shared with the caller. */
  weights: Float32Array;
  /** Closed last. */
  lastRound: Round | undefined;
  /** Of the next round: an index never comes again, also when the run goes back. */
  nextIndex: number;
  /** While running, unless there is a pool. */
  active: ActiveRound | undefined;
  /** While steps are computed asynchronously. */
  pool: StepPool | undefined;
  epochTotals: EpochTotals;
}

/** A run that has not started, but may go on from where another one stood. */
export function createRun(plan: EnginePlan, vectors: VectorMath, from: RunState): Run {
  return {
    plan,
    vectors,
    optimizer: optimizerAt(plan, vectors, from),
    sharing: createLeafSharing(),
    workers: new Map(),
    phase: 'new',
    weights: from.weights,
    lastRound: from.lastRound,
    nextIndex: (from.lastRound?.index ?? -1) + 1,
    active: undefined,
    pool: undefined,
    epochTotals: { ...from.epochTotals },
  };
}

/** A round of which nothing is leased yet. */
export function createActiveRound(
  { plan, vectors }: Pick<Run, 'plan' | 'vectors'>,
  round: Round,
  atMs: number,
): ActiveRound {
  const samples = samplesOf(plan, round);
  return {
    round,
    leases: createLeaseTable(samples, atMs),
    sum: createTreeSum<CodedSums>(round.leafCount, (left, right) => addSums(left, right, vectors), {
      isPresent: (leaf) => (samples[leaf] ?? 0) > 0,
      settle: codeGroups(plan, round),
    }),
    contributions: [],
    failures: new Map(),
  };
}

export function createWorker(id: WorkerId, threads: number): Worker {
  return {
    id,
    threads,
    stage: 'joined',
    numericsClass: undefined,
    askedShards: [],
    version: undefined,
    speed: createSpeedMeter(),
  };
}

type End = Extract<EngineEffect, { readonly type: 'end' }>;

/** Ends the run; nothing that happens later has an effect. */
export function endRun(run: Run, outcome: End['outcome'], error?: NonNullable<End['error']>): [End] {
  run.phase = outcome;
  run.active = undefined;
  run.pool = undefined;
  return [error ? { type: 'end', outcome, error } : { type: 'end', outcome }];
}
