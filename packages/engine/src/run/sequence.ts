import type { EnginePlan, Round } from '../events.ts';

/** The round that follows `last`, or the first; none when the run is finished. A function of the plan alone. */
export function roundAfter(plan: EnginePlan, last?: Round): Round | undefined {
  if (!last) return stepRound(plan, { index: 0, version: 0 });
  const next = { index: last.index + 1, version: last.version + (last.task === 'step' ? 1 : 0) };
  const isEpochEnd = last.task === 'step' && next.version % plan.stepsPerEpoch === 0;
  const wasTested = last.task === 'evaluate' && last.split === plan.evaluations.atEnd;

  if (isEpochEnd) return evaluationRound(plan, next, plan.evaluations.afterEpoch);
  if (next.version < plan.totalSteps) return stepRound(plan, next);
  return wasTested ? undefined : evaluationRound(plan, next, plan.evaluations.atEnd);
}

/** The samples of each leaf of a round. */
export function samplesOf(plan: EnginePlan, round: Round): readonly number[] {
  const samples = round.split ? plan.evaluations.blocks[round.split] : plan.stepSamples(round.step);
  if (samples.length !== round.leafCount || !samples.some((count) => count > 0)) {
    throw new RangeError(
      `${describeRound(round)}: expected samples for ${round.leafCount} leaves, found [${samples.join(', ')}]`,
    );
  }
  return samples;
}

/** Numbers in the metrics vector: loss sum and correct; for an evaluation the confusion matrix too. */
export function metricsLength(plan: EnginePlan, round: Round): number {
  return round.task === 'step' ? 2 : 2 + plan.classes * plan.classes;
}

/** Names a round for people, who count from 1. */
export function describeRound(round: Round): string {
  if (round.task === 'evaluate') return `${round.split} evaluation after step ${round.version}`;
  return `step ${round.version + 1} (epoch ${round.epoch + 1})`;
}

/** Names leaves for people: `shards 0, 1, 2` or `block 4`. */
export function describeLeaves(round: Round, leaves: readonly number[]): string {
  const noun = round.task === 'step' ? 'shard' : 'block';
  return `${noun}${leaves.length === 1 ? '' : 's'} ${leaves.join(', ')}`;
}

type Position = Pick<Round, 'index' | 'version'>;

function stepRound(plan: EnginePlan, { index, version }: Position): Round {
  const { shards, stepsPerEpoch } = plan;
  return {
    index,
    version,
    task: 'step',
    epoch: Math.floor(version / stepsPerEpoch),
    step: version % stepsPerEpoch,
    leafCount: shards,
  };
}

function evaluationRound(
  plan: EnginePlan,
  { index, version }: Position,
  split: 'validation' | 'test',
): Round {
  return {
    index,
    version,
    task: 'evaluate',
    epoch: Math.floor((version - 1) / plan.stepsPerEpoch),
    step: 0,
    split,
    leafCount: plan.evaluations.blocks[split].length,
  };
}
