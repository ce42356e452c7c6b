import type { ParameterLayout } from './layout.ts';
import type { Contributed } from './run/trust.ts';
import type { OptimizerSpec, ScheduleSpec } from './specs.ts';

/** Unique in a run. */
export type WorkerId = string & { readonly __brand: 'WorkerId' };

/** One pass over a fixed number of leaves: a training step (leaves are shards) or an evaluation (leaves are blocks). */
export interface Round {
  /** Counts steps and evaluations together, from 0. */
  readonly index: number;
  readonly task: 'step' | 'evaluate';
  /** Version of the weights used: the number of steps committed before. */
  readonly version: number;
  /** From 0; an evaluation belongs to the epoch of the step before it. */
  readonly epoch: number;
  /** `step`: within the epoch, from 0. `evaluate`: 0. */
  readonly step: number;
  /** `evaluate` only. */
  readonly split?: 'validation' | 'test';
  readonly leafCount: number;
}

/** The sum over one node [lo, hi) of the canonical tree. */
export interface PartialSum {
  readonly round: number;
  readonly lo: number;
  readonly hi: number;
  readonly samples: number;
  readonly computeMs: number;
  /** Gradient sum; empty for an evaluation. The engine takes the vector over and may write into it. */
  readonly gradient: Float32Array;
  /** `step`: loss sum, correct. `evaluate`: loss sum, correct, confusion matrix row-major. */
  readonly metrics: Float64Array;
  /** Whether the gradient came in the plan's lossy codec: then the node is a whole group. Default: no. */
  readonly isCoded?: boolean;
}

/** A lossy codec of gradients, as the engine sees it. */
export interface GradientCoding {
  /**
   * Leaves in a group, a power of two: the groups are [0, groupSize), [groupSize, 2 groupSize), and so on. The codec acts on
   * the sum over each group, so the result does not depend on who computed which leaves.
   */
  readonly groupSize: number;
  /**
   * What a receiver makes of a gradient that was sent in this codec: a pure function, the same on every machine. Statistics
   * must come out as they were: they are no gradients.
   */
  readonly code: (gradient: Float32Array) => Float32Array;
  /**
   * Error feedback: workers keep what the code of a group leaves out and add it to the group's next sum; at the latest after
   * so many steps, at least 2, they send the sum whole. They alone code then, and whole groups are leased. Default: none.
   */
  readonly feedbackSteps?: number;
}

/** What happened. `atMs` is the time at which it did, on the caller's monotonic clock. */
export type EngineEvent = {
  readonly atMs: number;
} /** `threads` (default 1): how much to expect of it before it is measured. */ & (
  | { readonly type: 'worker-joined'; readonly worker: WorkerId; readonly threads?: number }
  /** The worker can compute; its data may still be missing. */
  | { readonly type: 'worker-ready'; readonly worker: WorkerId; readonly numericsClass: string }
  | { readonly type: 'worker-prepared'; readonly worker: WorkerId; readonly shards: readonly number[] }
  | { readonly type: 'partial-arrived'; readonly worker: WorkerId; readonly partial: PartialSum }
  /** Gone, on purpose or not; its unfinished leases go to others. */
  | {
      readonly type: 'worker-left';
      readonly worker: WorkerId;
      /** The connection broke, as it does when the process dies: leaves that kill their workers are found by it. */
      readonly isLost?: boolean;
    }
  /** It could not compute a lease; a leaf that fails on two workers ends the run. */
  | {
      readonly type: 'worker-failed';
      readonly worker: WorkerId;
      readonly message: string;
      readonly round?: number;
      readonly leaf?: number;
    }
  | { readonly type: 'time-passed' }
  /** `stop`: end after what has been committed. `fail`: the same, for a cause outside the engine. */
  | { readonly type: 'operator-asked'; readonly request: 'stop' | 'fail' }
  /** The worker gets no more leases, and is released when it has answered those that it has. */
  | { readonly type: 'operator-asked'; readonly request: 'drain'; readonly worker: WorkerId }
);

/** Whose sum was used for which leaves. */
export interface Contribution {
  readonly worker: WorkerId;
  readonly numericsClass: string;
  readonly lo: number;
  readonly hi: number;
  readonly samples: number;
  /** Checksum of the gradient as it was added; see `VectorMath`. */
  readonly sum: string;
  /** Others who computed the same bits; absent if nobody did. */
  readonly agreed?: readonly WorkerId[];
}

/** Whose sums one step, or the evaluation after it, was made of. */
export interface StepContributions {
  /** From 1. */
  readonly step: number;
  readonly contributions: readonly Contribution[];
}

/** One optimizer update. */
export interface StepRecord {
  /** Steps committed, this one included: from 1. */
  readonly step: number;
  /** Epochs begun, this one included: from 1. */
  readonly epoch: number;
  readonly samples: number;
  /** Mean over the step's samples, without the L2 penalty. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  /** Norm of the averaged gradient, before clipping, L2 included. */
  readonly gradientNorm: number;
  /** Asynchronous only: updates made between sending the weights and using the gradient. */
  readonly staleness?: number;
  /** Asynchronous only: which batch of the epoch it used, from 0; else they are used in order. */
  readonly batch?: number;
  /** From left to right in the tree. */
  readonly contributions: readonly Contribution[];
}

/** One evaluation pass. */
export interface EvaluationRecord {
  readonly split: 'validation' | 'test';
  /** Steps committed before. */
  readonly step: number;
  /** Epochs begun: 1 after the first. */
  readonly epoch: number;
  readonly samples: number;
  readonly loss: number;
  readonly accuracy: number;
  /** `confusion[actual][predicted]`. */
  readonly confusion: readonly (readonly number[])[];
}

/** Workers of one class, which must give equal bits, have not. */
export interface Incident {
  /** `settled`: it is known who was wrong. */
  readonly what: 'answers-differ' | 'settled';
  readonly round: Round;
  readonly lo: number;
  readonly hi: number;
  /** Equal digests mean equal numbers. */
  readonly answers: readonly { readonly worker: WorkerId; readonly digest: string }[];
  /** Those who were wrong, and what they have contributed since somebody last agreed with them. */
  readonly wrong: readonly { readonly worker: WorkerId; readonly unverified: readonly Contributed[] }[];
  /** For people. */
  readonly message: string;
}

/** Why a run failed. */
export interface RunError {
  readonly code: 'NON_FINITE' | 'WORKER_FAILED';
  readonly message: string;
  /** The leaf that several workers failed on, if that is why. */
  readonly place?: { readonly round: Round; readonly leaf: number; readonly workers: readonly WorkerId[] };
}

/** What the caller must do, in order. */
export type EngineEffect =
  /** Fetch the data of the shards that this worker will probably get; the list may be empty. */
  | { readonly type: 'prepare'; readonly worker: WorkerId; readonly shards: readonly number[] }
  /** The same bytes for all `workers`. The vector does not change afterwards. */
  | {
      readonly type: 'publish';
      readonly version: number;
      readonly weights: Float32Array;
      readonly workers: readonly WorkerId[];
    }
  /**
   * Leaves to compute, ascending, besides those leased to this worker earlier in the round. They may be others than
   * it was asked to prepare: another worker may have gone.
   */
  | {
      readonly type: 'lease';
      readonly worker: WorkerId;
      readonly round: Round;
      readonly leaves: readonly number[];
    }
  | { readonly type: 'commit'; readonly record: StepRecord }
  | {
      readonly type: 'evaluated';
      readonly record: EvaluationRecord;
      /** Not in the record: the same evaluation may be made of others'. */
      readonly contributions: readonly Contribution[];
    }
  /** The epoch's means over training samples, before its evaluation. `epoch` counts from 1. */
  | { readonly type: 'epoch-done'; readonly epoch: number; readonly loss: number; readonly accuracy: number }
  /** Close the connection; the engine has already forgotten the worker. */
  | {
      readonly type: 'expel';
      readonly worker: WorkerId;
      readonly code: 'MESSAGE_INVALID' | 'WRONG_NUMBERS';
      readonly message: string;
    }
  /** A drained worker has nothing left to do: tell it so; the engine has already forgotten it. */
  | { readonly type: 'release'; readonly worker: WorkerId }
  /** For people, and for the record. */
  | { readonly type: 'incident'; readonly incident: Incident }
  /**
   * Restore the newest state with at most so many steps committed, or that of the start: later ones hold what `worker`
   * has contributed and nobody has verified. Nothing is leased until then.
   */
  | {
      readonly type: 'roll-back';
      readonly step: number;
      readonly worker: WorkerId;
      readonly unverified: readonly Contributed[];
    }
  | {
      readonly type: 'end';
      readonly outcome: 'finished' | 'stopped' | 'failed';
      /** Why, if it failed. */
      readonly error?: RunError;
    };

/** What the engine must know before it starts. */
export interface EnginePlan {
  readonly layout: ParameterLayout;
  readonly initialWeights: Float32Array;
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  readonly l2?: number;
  readonly clipNorm?: number;
  /** Absent: gradients are added as they are. */
  readonly coding?: GradientCoding;
  /**
   * Asynchronous training: each worker computes whole steps by itself, and its gradient is applied when it arrives if
   * at most this many updates were made since its weights were sent; else the step is computed anew. An epoch still
   * uses every sample once, but the weights depend on the order of arrival. Absent: synchronous.
   */
  readonly maxStaleness?: number;
  readonly shards: number;
  readonly stepsPerEpoch: number;
  /** Steps of the whole run. */
  readonly totalSteps: number;
  /** Rows and columns of the confusion matrix. */
  readonly classes: number;
  /** Samples of each shard's micro-batch in a step of the epoch, from 0; a shard with 0 is not leased. */
  readonly stepSamples: (step: number) => readonly number[];
  /** After each epoch and at the end: which split, and the samples of each block. The last entry is `test` at the end. */
  readonly evaluations: {
    readonly afterEpoch: 'validation' | 'test';
    readonly atEnd: 'test';
    readonly blocks: { readonly validation: readonly number[]; readonly test: readonly number[] };
  };
}
