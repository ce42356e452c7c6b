import { type FaultKind, isLie } from '../faults/fault-kinds.ts';
import { fewestBeside, type Scenario } from './scenario.ts';

/** How large a run is, instead of what the seed draws. */
export interface RunSize {
  /** At the start; so many shards the run has too. */
  readonly workers: number;
  readonly steps: number;
}

const longestEpoch = 100;

/** With fewer steps no period of error feedback has two: the last step of an epoch is one of its own. */
const leastFeedbackSteps = 3;

/** Whether runs of a size can have such a fault at all: liars must be fewer than half, as in what seeds draw. */
export function canStrike(kind: FaultKind, { workers, steps }: RunSize): boolean {
  if (kind === 'catch-up') return steps >= leastFeedbackSteps;
  return !isLie(kind) || workers >= fewestBeside(kind);
}

/** The same kinds of faults, links and speeds in a run of another size, as far as it can have them; steps are synchronous. */
export function resize(scenario: Scenario, size: RunSize): Scenario {
  const { workers, steps } = size;
  const { maxStaleness: _, ...plan } = scenario.plan;
  const samples = Array.from({ length: workers }, (_none, shard) => 1 + (shard % 3));
  const stepMs = 2 * scenario.latencyMs + 4 * scenario.msPerSample;
  return {
    ...scenario,
    plan: {
      ...plan,
      shards: workers,
      stepsPerEpoch: Math.min(steps, longestEpoch),
      totalSteps: steps,
      stepSamples: () => samples,
    },
    faults: scenario.faults.filter((kind) => canStrike(kind, size)),
    workers,
    maxWorkers: workers + Math.ceil(workers / 10),
    // Of all the steps, half are done among faults.
    calmAtMs: Math.max(scenario.calmAtMs, (steps * stepMs) / 2),
    faultGapMs: Math.max(scenario.faultGapMs, 5 * stepMs),
    // About once a round.
    checkEvery: workers,
  };
}
