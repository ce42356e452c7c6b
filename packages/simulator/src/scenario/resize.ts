import type { Scenario } from './scenario.ts';

/** How large a run is, instead of what the seed draws. */
export interface RunSize {
  /** At the start; so many shards the run has too. */
  readonly workers: number;
  readonly steps: number;
}

const longestEpoch = 100;

/** The same kinds of faults, links and speeds in a run of another size; steps are synchronous. */
export function resize(scenario: Scenario, { workers, steps }: RunSize): Scenario {
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
    workers,
    maxWorkers: workers + Math.ceil(workers / 10),
    // Of all the steps, half are done among faults.
    calmAtMs: Math.max(scenario.calmAtMs, (steps * stepMs) / 2),
    faultGapMs: Math.max(scenario.faultGapMs, 5 * stepMs),
    // About once a round.
    checkEvery: workers,
  };
}
