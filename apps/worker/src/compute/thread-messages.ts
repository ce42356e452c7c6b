import type { BackendChoice } from '@gradwire/backend';
import type { LeaseMessage, WelcomeMessage } from '@gradwire/protocol';
import type { Recipe } from '@gradwire/recipes';
import type { RawSamples } from '@gradwire/training';
import type { Cut } from './lease-pieces.ts';
import type { SplitCounts } from './lease-samples.ts';
import type { SumsMemory } from './shared-sums.ts';

/** What a run's threads work on. All arrays lie in shared memory. */
export interface ThreadRun {
  readonly recipe: Recipe;
  readonly statistics: WelcomeMessage['statistics'];
  readonly counts: SplitCounts;
  readonly splits: { readonly train: RawSamples; readonly test: RawSamples };
  /** At first the initial ones. */
  readonly weights: Float32Array;
  readonly sums: SumsMemory;
}

/** What a thread is started with. */
export interface ThreadStart {
  readonly backend: BackendChoice;
  /** One element: counts the orders. */
  readonly bell: Int32Array;
}

/** Main thread -> compute thread. */
export type ThreadOrder =
  | { readonly type: 'open'; readonly run: ThreadRun }
  /** Take pieces of the lease, by the shared cursor (an index into them), until none is left. */
  | {
      readonly type: 'compute';
      readonly lease: LeaseMessage;
      readonly cursor: Int32Array;
      readonly cut: Cut;
      /** How often the weights were set: their version comes again, with other values, when the run goes back. */
      readonly weightsSet: number;
    };

/** Compute thread -> main thread. */
export type ThreadReply =
  | {
      readonly type: 'ready';
      readonly backend: { readonly name: 'wasm' | 'native'; readonly kernelHash: string };
    }
  /** `probe`: hash of the probe gradient. */
  | { readonly type: 'opened'; readonly probe: string }
  /** A node is complete; its slot is the main thread's. */
  | {
      readonly type: 'summed';
      readonly lo: number;
      readonly hi: number;
      readonly slot: number;
      /** No leaf of the lease is left: `idle` in the same message, as what this one wakes may take the thread's core. */
      readonly isLast: boolean;
    }
  /** No leaf of the lease is left. */
  | { readonly type: 'idle' }
  | { readonly type: 'failed'; readonly failure: ThreadFailure };

/** Why a thread cannot go on. */
export interface ThreadFailure {
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly hint?: string;
  /** The leaf that was being computed, if any. */
  readonly leaf?: number;
}
