import { createLeaseTable } from '../leases/lease-table.ts';
import { createLeafSharing } from '../leases/share-leaves.ts';
import { createResponseMeter } from '../leases/response-meter.ts';
import { createSpeedMeter } from '../leases/speed.ts';
import { addSums } from '../tree/sums.ts';
import { createTreeSum } from '../tree/tree-sum.ts';
import { codeGroups, type CodedSums } from './code-groups.ts';
import { optimizerAt } from './run-state.ts';
import { createTrustLedger, noteRound, type TrustLedger } from './trust.ts';
import type { Answer } from './answers.ts';
import type { Check } from './checks.ts';
import type { Deaths } from './suspects.ts';
import { samplesOf } from './sequence.ts';
import type {
  Contribution,
  EngineEffect,
  EngineEvent,
  EnginePlan,
  Round,
  StepContributions,
  WorkerId,
} from '../events.ts';
import type { LeaseTable } from '../leases/lease-table.ts';
import type { LeafSharing } from '../leases/share-leaves.ts';
import type { ResponseMeter } from '../leases/response-meter.ts';
import type { SpeedMeter } from '../leases/speed.ts';
import type { Turn } from '../leases/turn.ts';
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
  /** How long it takes to answer. */
  readonly response: Readonly<Record<Round['task'], ResponseMeter>>;
  /** What it has not answered yet, in the order in which it was leased; of earlier rounds too. */
  readonly turns: Turn[];
  /** When it answered the last of its leaves; 0 before. */
  idleSinceMs: number;
  /** It gets no more leases. */
  isDraining: boolean;
}

/** What a worker that has joined did. */
export type WorkerEvent = Exclude<
  Extract<EngineEvent, { readonly worker: WorkerId }>,
  { readonly type: 'worker-joined' | 'operator-asked' }
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
  /** The answers that are in the sum, by node. */
  readonly counted: Map<string, Answer>;
  /** Nodes that were computed more than once, and who gave the bits that are used. */
  readonly verified: Map<string, readonly WorkerId[]>;
  /** Those who were found wrong in this round: they vouch for nobody. */
  readonly convicted: Set<WorkerId>;
  /** Nodes that are computed more than once before they are used. */
  readonly checks: Map<string, Check>;
  /** The first failure on each leaf. */
  readonly failures: Map<number, Failure>;
  /** Who was lost with each leaf. */
  readonly deaths: Map<number, Deaths>;
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
  /** Of the last event. */
  nowMs: number;
  /** No deadline passes before; `Infinity` if there is none. */
  nextDueMs: number;
  /** All who have let a deadline pass and not answered since, and maybe others. */
  readonly late: Set<Worker>;
  /** Which leases are computed twice; none if workers are not verified. */
  readonly verify: Verification | undefined;
  /** Unless steps are asynchronous: then nothing can be undone. */
  readonly trust: TrustLedger | undefined;
  /** The largest norm of a recent contribution, per sample; unknown at first. */
  usualMagnitude: number | undefined;
  /** Wrong numbers were used: nothing is leased until an earlier state is restored. */
  isGoingBack: boolean;
  /** Whether any worker is being drained. */
  hasDraining: boolean;
}

/** Which leases are computed by a second worker. */
export interface Verification {
  /** Of the leased nodes, from 0 to 1; above 0 the last evaluation is computed twice as a whole. */
  readonly share: number;
  /** Uniform in [0, 1), a pure function; from a seed that workers do not know. */
  readonly draw: (round: number, leaf: number) => number;
}

/** A run that has not started, but may go on from where another one stood. */
export function createRun(
  plan: EnginePlan,
  {
    vectors,
    from,
    verify,
    contributed,
  }: Pick<Run, 'vectors' | 'verify'> & {
    readonly from: RunState;
    readonly contributed: readonly StepContributions[];
  },
): Run {
  const trust = plan.maxStaleness === undefined ? createTrustLedger() : undefined;
  if (trust) for (const step of contributed) noteRound(trust, step);
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
    nowMs: -Infinity,
    nextDueMs: Infinity,
    late: new Set(),
    verify,
    trust,
    usualMagnitude: undefined,
    isGoingBack: false,
    hasDraining: false,
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
    counted: new Map(),
    verified: new Map(),
    convicted: new Set(),
    checks: new Map(),
    failures: new Map(),
    deaths: new Map(),
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
    response: { step: createResponseMeter(), evaluate: createResponseMeter() },
    turns: [],
    idleSinceMs: 0,
    isDraining: false,
  };
}

type End = Extract<EngineEffect, { readonly type: 'end' }>;

/** Ends the run; nothing that happens later has an effect. */
export function endRun(run: Run, outcome: End['outcome'], error?: NonNullable<End['error']>): [End] {
  run.phase = outcome;
  run.nextDueMs = Infinity;
  run.active = undefined;
  run.pool = undefined;
  return [error ? { type: 'end', outcome, error } : { type: 'end', outcome }];
}
