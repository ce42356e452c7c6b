import type { Scenario } from './scenario.ts';

/** What engines wait before they take a worker for late of which nothing is known: the first one, and one among others. */
const firstPatienceMs = 30_000;
const newcomerPatienceMs = 5_000;
/** More newcomers than these are never struck one after the other while they hold the same lease. */
const unlucky = 14;

/** A run that does ever more without an end does not finish either. */
export function mostEvents({ plan, maxWorkers }: Scenario): number {
  return 100_000 + 20 * maxWorkers * plan.totalSteps;
}

/** How long a calm run may take at most: the last partition ends, everybody is back, and one worker does all. */
export function finishBoundMs(scenario: Scenario): number {
  const rounds = 2 * scenario.plan.totalSteps + 2;
  return 4 * scenario.silenceMs + 10_000 + rounds * longestRoundMs(scenario);
}

/**
 * How long a round may take while somebody is there who is sound, whatever happens to the others: one after the other is
 * late with it. A dispute may wait for those who are silent, until their connections count as lost.
 */
export function progressBoundMs(scenario: Scenario): number {
  const { verify, silenceMs } = scenario;
  const disputeMs = verify === undefined ? 0 : 4 * silenceMs;
  return (
    disputeMs + firstPatienceMs + unlucky * newcomerPatienceMs + (10 * longestRoundMs(scenario)) / slowest
  );
}

/** No fault makes a worker so many times slower than usual. */
const slowest = 20;

/** All leaves, one after the other, by the slowest worker at the end of the slowest link. */
function longestRoundMs({ plan, msPerSample, latencyMs }: Scenario): number {
  return plan.shards * 5 * msPerSample * slowest + 60 * latencyMs;
}
