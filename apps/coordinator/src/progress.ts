import { performance } from 'node:perf_hooks';
import type { Contribution, EnginePlan, EvaluationRecord, StepRecord } from '@gradwire/engine';
import type { CoordinatorEvent } from './events.ts';
import { createPace } from './pace.ts';
import type { Recorder } from './recorder.ts';

/** Writes down what a run has done, and tells people. */
export interface Progress {
  /** @param weights Checksum of the weights after the step. */
  step(record: StepRecord, weights: string): void;
  epoch(means: { readonly epoch: number; readonly loss: number; readonly accuracy: number }): void;
  evaluation(record: EvaluationRecord, contributions: readonly Contribution[]): void;
}

/** Where progress goes, and what it is seen against. */
export interface ProgressOptions {
  readonly plan: EnginePlan;
  readonly recorder: Recorder;
  readonly countWorkers: () => number;
  readonly onEvent: (event: CoordinatorEvent) => void;
}

export function createProgress({ plan, recorder, countWorkers, onEvent }: ProgressOptions): Progress {
  const pace = createPace();
  return {
    step(record, weights) {
      pace.step(record.samples, performance.now());
      recorder.step(record, weights);
      const { samplesPerSecond } = pace;
      const { samplesSeen } = recorder;
      onEvent(stepEvent(record, plan, { samplesPerSecond, samplesSeen, workers: countWorkers() }));
    },
    epoch({ epoch, loss, accuracy }) {
      recorder.epoch({ epoch, loss, accuracy });
      onEvent({ type: 'epoch', epoch, loss, accuracy });
    },
    evaluation(record, contributions) {
      recorder.evaluation(record, contributions);
      onEvent({ type: 'evaluated', record });
    },
  };
}

/** What people are told of a step; the time left is a guess from the pace so far. */
function stepEvent(
  record: StepRecord,
  { totalSteps, stepsPerEpoch }: EnginePlan,
  now: { readonly samplesPerSecond: number; readonly samplesSeen: number; readonly workers: number },
): CoordinatorEvent {
  const { samplesPerSecond, samplesSeen, workers } = now;
  const samplesLeft = (samplesSeen / record.step) * (totalSteps - record.step);
  const secondsLeft = samplesPerSecond === 0 ? Number.POSITIVE_INFINITY : samplesLeft / samplesPerSecond;
  const epochs = Math.ceil(totalSteps / stepsPerEpoch);
  return { type: 'step', record, totalSteps, epochs, samplesPerSecond, secondsLeft, workers };
}
