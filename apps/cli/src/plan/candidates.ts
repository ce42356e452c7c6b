import { parameterLayout } from '@gradwire/models';
import { countSteps, localStrategy, type Recipe, type Strategy } from '@gradwire/recipes';
import { type Codec, codecChoices, float32, vectorBytes } from './codecs.ts';
import type { Link } from './link.ts';
import { type Costs, predictStep, type Prediction } from './predict-step.ts';

/** A way to train, and what to expect of it. */
export interface Candidate extends Prediction {
  readonly strategy: Strategy;
  readonly codec: Codec;
  readonly stepsPerEpoch: number;
  /** Of the whole run. */
  readonly totalSteps: number;
  /** Down and up again, of one worker in one step, if it sends one vector. */
  readonly bytesPerStep: number;
}

/** What is planned for. */
export interface Situation {
  readonly recipe: Recipe;
  readonly trainingCount: number;
  readonly workers: number;
  /** Of each worker. */
  readonly threads: number;
  readonly link: Link;
}

const localStepChoices = [8, 16, 32, 64, 128, 256];
const maxStaleness = 4;

/** Predicts synchronous training with each codec, DiLoCo with more and more local steps, and asynchronous training. */
export function listCandidates(costs: Costs, situation: Situation): Candidate[] {
  const strategies: Strategy[] = [
    ...localStepChoices.map((localSteps) => ({ type: 'diloco', localSteps }) as const),
    { type: 'asynchronous', maxStaleness },
  ];
  const { local } = countSteps(
    { ...situation.recipe, strategy: { type: 'synchronous' } },
    situation.trainingCount,
  );
  // More local steps than an epoch has would change nothing.
  const useful = strategies.filter(
    (strategy) => (localStrategy(strategy)?.localSteps ?? 0) <= local.stepsPerEpoch,
  );
  return [
    ...withCodecs(costs, situation, { type: 'synchronous' }),
    ...useful.map((strategy) => predict(costs, situation, { strategy, codec: float32 })),
  ];
}

/** The recipe's own strategy with float32, then with each lossy codec in the groups that are quickest. */
export function codecCandidates(costs: Costs, situation: Situation): Candidate[] {
  return withCodecs(costs, situation, situation.recipe.strategy ?? { type: 'synchronous' });
}

function withCodecs(costs: Costs, situation: Situation, strategy: Strategy): Candidate[] {
  return codecChoices(situation.recipe.shards).flatMap((choices) => {
    const predicted = choices.map((codec) => predict(costs, situation, { strategy, codec }));
    return predicted.toSorted((a, b) => a.stepMs - b.stepMs).slice(0, 1);
  });
}

function predict(
  costs: Costs,
  { recipe, trainingCount, workers, threads, link }: Situation,
  { strategy, codec }: Pick<Candidate, 'strategy' | 'codec'>,
): Candidate {
  const { batchSize, stepsPerEpoch, totalSteps } = countSteps({ ...recipe, strategy }, trainingCount);
  const bytes = vectorBytes(codec, parameterLayout(recipe.model), recipe.shards);
  const { type: _, ...settings } = strategy;
  const prediction = predictStep(costs, {
    ...settings,
    workers,
    threads,
    shards: recipe.shards,
    samples: Math.min(batchSize, trainingCount),
    bytes,
    link,
  });
  const bytesPerStep = bytes.weights + (bytes.group?.bytes ?? bytes.plain);
  return { strategy, codec, stepsPerEpoch, totalSteps, bytesPerStep, ...prediction };
}

/** A tenth of the time, at most, spent not computing is as good as it needs to be. */
const goodEnough = 0.1;
/** With fewer, some recipes learn less: docs/strategies.md has the measurements. */
const leastOuterSteps = 15;

/**
 * Synchronous training if its workers compute nine tenths of the time: nothing learns more from a sample. Else the
 * fewest local steps that reach that, or come nearest with enough steps in the run; both are exact. But none that train on
 * fewer samples a second: local steps take one shard at a time. Never a lossy codec or the asynchronous strategy: those are
 * for people to choose.
 */
export function recommend(candidates: readonly Candidate[]): Candidate {
  const lossless = candidates.filter(({ codec }) => codec.isLossless);
  const plain = lossless.find(({ strategy }) => strategy.type === 'synchronous');
  const exact = lossless.filter(
    (each) =>
      each === plain ||
      (localStrategy(each.strategy) &&
        each.totalSteps >= leastOuterSteps &&
        each.samplesPerSecond > (plain?.samplesPerSecond ?? 0)),
  );
  const good = exact.find(isGood);
  const [best] = exact.toSorted((a, b) => a.waitingShare - b.waitingShare);
  const found = good ?? best;
  if (!found) throw new RangeError('candidates: expected one that is exact');
  return found;
}

/** What loses something must save a third of a step, at least: more than chance makes of it. */
const worthwhile = 0.67;

/**
 * The first of {@link codecCandidates} whose workers compute nine tenths of the time, or the one whose steps are
 * shortest: where all wait nearly all of the time, shares differ by chance. Not `top-k`: what it leaves out costs accuracy,
 * and that is for people to choose.
 */
export function recommendCodec<Each extends Pick<Candidate, 'codec' | 'stepMs' | 'waitingShare'>>(
  candidates: readonly Each[],
): Each {
  const plainMs = candidates.find(({ codec }) => codec.isLossless)?.stepMs ?? Number.POSITIVE_INFINITY;
  const known = candidates.filter(
    ({ codec, stepMs }) => codec.isLossless || (codec.name !== 'top-k' && stepMs <= worthwhile * plainMs),
  );
  const [shortest] = known.toSorted((a, b) => a.stepMs - b.stepMs);
  const found = known.find(isGood) ?? shortest;
  if (!found) throw new RangeError('candidates: expected at least one');
  return found;
}

/** Whether its workers compute nine tenths of the time. */
export function isGood({ waitingShare }: Pick<Candidate, 'waitingShare'>): boolean {
  return waitingShare <= goodEnough;
}
