import { parameterLayout } from '@gradwire/models';
import { countSteps, localStrategy, type Recipe, type Strategy } from '@gradwire/recipes';
import type { Link } from './link.ts';
import { type Costs, predictStep, type Prediction } from './predict-step.ts';

/** How a vector travels. */
export interface Codec {
  readonly name: string;
  readonly bytesPerElement: number;
  /** Whether every bit arrives, so that it changes no result. */
  readonly isLossless: boolean;
  /** Whether runs can be started with it. */
  readonly isOffered: boolean;
}

/** Every codec that is predicted. */
export const codecs: readonly Codec[] = [
  { name: 'float32', bytesPerElement: 4, isLossless: true, isOffered: true },
  { name: 'bfloat16', bytesPerElement: 2, isLossless: false, isOffered: false },
  // One byte, and a float32 scale for every 256.
  { name: 'int8', bytesPerElement: 1 + 4 / 256, isLossless: false, isOffered: false },
];

/** A way to train, and what to expect of it. */
export interface Candidate extends Prediction {
  readonly strategy: Strategy;
  readonly codec: Codec;
  readonly stepsPerEpoch: number;
  /** Down and up again, of one worker in one step, if it sends one vector. */
  readonly bytesPerStep: number;
}

/** What is planned for. */
export interface Situation {
  readonly recipe: Recipe;
  readonly trainingCount: number;
  readonly workers: number;
  readonly link: Link;
}

const localStepChoices = [8, 16, 32, 64, 128, 256];
const maxStaleness = 4;

/** Predicts synchronous training with each codec, DiLoCo with more and more local steps, and asynchronous training. */
export function listCandidates(costs: Costs, situation: Situation): Candidate[] {
  const [plain] = codecs;
  if (!plain) return [];
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
    ...codecs.map((codec) => predict(costs, situation, { strategy: { type: 'synchronous' }, codec })),
    ...useful.map((strategy) => predict(costs, situation, { strategy, codec: plain })),
  ];
}

function predict(
  costs: Costs,
  { recipe, trainingCount, workers, link }: Situation,
  { strategy, codec }: Pick<Candidate, 'strategy' | 'codec'>,
): Candidate {
  const { batchSize, stepsPerEpoch } = countSteps({ ...recipe, strategy }, trainingCount);
  const vectorBytes = parameterLayout(recipe.model).size * codec.bytesPerElement;
  const { type: _, ...settings } = strategy;
  const prediction = predictStep(costs, {
    ...settings,
    workers,
    shards: recipe.shards,
    samples: Math.min(batchSize, trainingCount),
    vectorBytes,
    link,
  });
  return { strategy, codec, stepsPerEpoch, bytesPerStep: 2 * vectorBytes, ...prediction };
}

/** A tenth of the time, at most, spent not computing is as good as it needs to be. */
const goodEnough = 0.1;

/**
 * Synchronous training if its workers compute nine tenths of the time: nothing learns more from a sample. Else the
 * fewest local steps that reach that, or come nearest; both are exact. Never a lossy codec or the asynchronous
 * strategy: those are for people to choose.
 */
export function recommend(candidates: readonly Candidate[]): Candidate {
  const exact = candidates.filter(
    ({ strategy, codec }) => strategy.type !== 'asynchronous' && codec.isLossless && codec.isOffered,
  );
  const good = exact.find(({ waitingShare }) => waitingShare <= goodEnough);
  const [best] = exact.toSorted((a, b) => a.waitingShare - b.waitingShare);
  const found = good ?? best;
  if (!found) throw new RangeError('candidates: expected one that is exact');
  return found;
}
