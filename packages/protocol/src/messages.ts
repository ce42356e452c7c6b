import type { CodecName, VectorCodec } from './codecs/vector-codec.ts';

/** Which pass over leaves a lease or partial belongs to: one training step or one evaluation. */
export type RoundTask = 'step' | 'evaluate';

/**
 * What a lossy codec acts on: the gradient sums over `shards` neighbouring leaves, which are nodes of the tree. Part of
 * what decides the result, so it is the same in every lease of a run.
 */
export interface GradientCoding {
  readonly codec: Exclude<CodecName, 'float32'>;
  /** A power of two: the nodes [0, shards), [shards, 2 shards), and so on; the last one may be smaller. */
  readonly shards: number;
  /** `top-k`: the share of the elements that is sent, above 0, up to 0.5. */
  readonly share?: number;
}

/** Worker -> coordinator, the first frame. */
export interface HelloMessage {
  readonly type: 'hello';
  readonly protocol: number;
  /** Gradwire's version, for people. */
  readonly software: string;
  /** What the worker would like to be called. */
  readonly name: string;
  readonly backend: 'wasm' | 'native' | 'browser';
  /** Compute threads: how much work to expect of it before it is measured. */
  readonly threads: number;
  /** Hash of the worker's own recipe, if it was started with one: it must equal the coordinator's. */
  readonly recipeHash?: string;
}

/** Coordinator -> worker: what is trained. */
export interface WelcomeMessage {
  readonly type: 'welcome';
  readonly protocol: number;
  /** Name of the run. */
  readonly run: string;
  /** Random, made with the run and kept when it goes on: a run in another folder may have the same name. */
  readonly runId: string;
  /** How many coordinators the run has had, this one included: a worker never goes back to an earlier one. */
  readonly term: number;
  /** The name by which this worker is known from now on: unique in the run. */
  readonly worker: string;
  /** The recipe as canonical JSON; its SHA-256 is `recipeHash` unless a module with code is part of it. */
  readonly recipe: string;
  readonly recipeHash: string;
  /** SHA-256 of the manifests, to be fetched as `GET /data/<sha256>` like every chunk. */
  readonly manifests: { readonly train: string; readonly test: string };
  /** Statistics of the training features, per channel. */
  readonly statistics: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
}

/** Worker -> coordinator: the model is built; `numericsClass` tells which workers give the same bits. */
export interface ReadyMessage {
  readonly type: 'ready';
  readonly numericsClass: string;
}

/** Coordinator -> worker: fetch the data of these training shards, then answer `prepared`. */
export interface PrepareMessage {
  readonly type: 'prepare';
  readonly shards: readonly number[];
}

/** Worker -> coordinator: the data of these shards is here. */
export interface PreparedMessage {
  readonly type: 'prepared';
  readonly shards: readonly number[];
  /** Bytes that had to be fetched for it; 0 if the worker had them. */
  readonly fetchedBytes: number;
}

/** Coordinator -> worker: weights after `version` steps; the same bytes for every worker. */
export interface WeightsMessage {
  readonly type: 'weights';
  readonly version: number;
  readonly values: Float32Array;
  /** How the values travel; absent: float32. Every worker computes with what it reads. */
  readonly codec?: VectorCodec;
}

/** Coordinator -> worker: compute these leaves with the weights of `version`. */
export interface LeaseMessage {
  readonly type: 'lease';
  /** That of the welcome. */
  readonly term: number;
  /** Counts steps and evaluations together, from 0. */
  readonly round: number;
  readonly task: RoundTask;
  /** Version of the weights to use. */
  readonly version: number;
  /** `step`: the step within the epoch, from 0. `evaluate`: 0. */
  readonly step: number;
  readonly epoch: number;
  /** `evaluate`: which samples. */
  readonly split?: 'validation' | 'test';
  /** Ascending. `step`: shards. `evaluate`: blocks of `evaluationBlock` samples. */
  readonly leaves: readonly number[];
  /** Number of leaves in the round's tree. */
  readonly leafCount: number;
  /** `step`: absent if gradients are sent as they are. */
  readonly coding?: GradientCoding;
  /** With `coding`: what a code leaves out is added to the group's next sum. Absent: it is lost. */
  readonly feedback?: Feedback;
}

/** Error feedback: where a step stands in its period, at whose end sums are sent whole. */
export interface Feedback {
  /** Version of the period's first step: nothing was left out before. */
  readonly since: number;
  /** The period's last step: sums are sent as float32, with all that was left out. */
  readonly isLast: boolean;
  /** Another worker has answered this lease: it is computed for what it leaves out alone, and not answered. */
  readonly isReplay?: true;
}

/** Worker -> coordinator: the sum over one node [lo, hi) of the canonical tree. */
export interface PartialMessage {
  readonly type: 'partial';
  /** That of the lease. */
  readonly term: number;
  readonly round: number;
  readonly lo: number;
  readonly hi: number;
  readonly samples: number;
  /** Time spent computing, for the split of the work. */
  readonly computeMs: number;
  /** Gradient sum; empty for `evaluate`. */
  readonly gradient: Float32Array;
  /** How the gradient travels; absent: float32. */
  readonly codec?: VectorCodec;
  /** `step`: loss sum, correct. `evaluate`: loss sum, correct, confusion matrix (actual x predicted, row-major). */
  readonly metrics: Float64Array;
}

/** Worker -> coordinator: this worker cannot go on. */
export interface FailedMessage {
  readonly type: 'failed';
  readonly code: string;
  readonly message: string;
  readonly stack: string;
  /** The worker's last log lines. */
  readonly log: readonly string[];
  /** The lease that was being computed, if any. */
  readonly round?: number;
  readonly leaf?: number;
}

/** Worker -> coordinator: leaving on purpose; unfinished leases are handed back. */
export interface LeaveMessage {
  readonly type: 'leave';
  readonly reason: string;
}

/** Coordinator -> worker: the run has ended. */
export interface EndMessage {
  readonly type: 'end';
  /** Of the run, or `released`: the run goes on, but this worker is to leave. */
  readonly outcome: 'finished' | 'stopped' | 'failed' | 'released';
  readonly message: string;
}

/** What a worker sends. */
export type WorkerMessage =
  | HelloMessage
  | ReadyMessage
  | PreparedMessage
  | PartialMessage
  | FailedMessage
  | LeaveMessage;

/** What a coordinator sends. */
export type CoordinatorMessage = WelcomeMessage | PrepareMessage | WeightsMessage | LeaseMessage | EndMessage;

/** Every message. */
export type Message = WorkerMessage | CoordinatorMessage;
