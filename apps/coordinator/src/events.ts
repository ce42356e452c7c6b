import type { EvaluationRecord, StepRecord } from '@gradwire/engine';
import type { Curve, Summary } from '@gradwire/report';

/** The first failure of a run, over all machines. */
export interface FailureReport {
  /** Which worker reported it; absent if the coordinator itself found it. */
  readonly worker?: string;
  readonly code: string;
  readonly message: string;
  readonly stack?: string;
  /** The worker's last log lines. */
  readonly log?: readonly string[];
}

/** What a coordinator tells the person or program that started it. */
export type CoordinatorEvent =
  | {
      readonly type: 'listening';
      readonly host: string;
      readonly port: number;
      /** Name and path of the run directory. */
      readonly run: string;
      readonly directory: string;
    }
  | {
      readonly type: 'worker-joined';
      readonly worker: string;
      readonly backend: string;
      readonly threads: number;
      readonly peer: string;
      readonly workers: number;
      /** It had been here before. */
      readonly again: boolean;
    }
  | { readonly type: 'worker-ready'; readonly worker: string; readonly numericsClass: string }
  /** Why: `ended` (the run is over), `leave` (on purpose), `lost` (the connection broke), `failed` (it said so), `expelled` (we said so). */
  | {
      readonly type: 'worker-left';
      readonly worker: string;
      readonly why: 'ended' | 'leave' | 'lost' | 'failed' | 'expelled';
      readonly reason: string;
      readonly workers: number;
    }
  | {
      readonly type: 'worker-refused';
      readonly peer: string;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly type: 'worker-prepared';
      readonly worker: string;
      readonly shards: readonly number[];
      /** 0 if the worker had the data. */
      readonly fetchedBytes: number;
    }
  /** Workers of different numerics classes: the result is not reproducible bit by bit. */
  | { readonly type: 'inexact'; readonly reason: string }
  | {
      readonly type: 'step';
      readonly record: StepRecord;
      readonly totalSteps: number;
      /** Epochs begun by the end of the run. */
      readonly epochs: number;
      readonly samplesPerSecond: number;
      readonly secondsLeft: number;
      readonly workers: number;
    }
  | { readonly type: 'epoch'; readonly epoch: number; readonly loss: number; readonly accuracy: number }
  | { readonly type: 'evaluated'; readonly record: EvaluationRecord }
  /** An earlier run goes on, after so many steps; `term` counts its starts, this one included. */
  | { readonly type: 'resumed'; readonly step: number; readonly term: number }
  /** A worker computed wrong numbers: the run goes on after so many steps. */
  | { readonly type: 'rolled-back'; readonly step: number; readonly worker: string }
  /** A snapshot is on disk. The run had to wait `copyMs` for it; the rest went on beside it. */
  | {
      readonly type: 'snapshot';
      readonly step: number;
      readonly bytes: number;
      readonly copyMs: number;
      readonly milliseconds: number;
    }
  /** Something went wrong that does not end the run, for example a file that cannot be written any more. */
  | { readonly type: 'problem'; readonly message: string }
  /** Nothing moved for `seconds`: what is waited for and why, as a sentence. */
  | { readonly type: 'waiting'; readonly message: string; readonly seconds: number };

/** How a run ended. */
export interface RunResult {
  readonly outcome: 'finished' | 'stopped' | 'failed';
  readonly summary: Summary;
  readonly failure?: FailureReport;
  readonly classNames: readonly string[];
  readonly curve: Curve;
  /** Paths of the files that the run has written. */
  readonly files: readonly string[];
  /** What could not be written, and why. */
  readonly problems: readonly string[];
}
