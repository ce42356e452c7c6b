import { createShardOrder, trainingIndices } from '@gradwire/data';
import type { EngineEffect, RunError } from '@gradwire/engine';
import { countSteps, type Recipe } from '@gradwire/recipes';

type End = Extract<EngineEffect, { type: 'end' }>;

const mostNamed = 32;

/** Adds to a run's last word which samples the shard had that its workers failed on: one of them may be the cause. */
export function nameSamples(end: End, recipe: Recipe, trainCount: number): End {
  const { error } = end;
  if (error?.place?.round.task !== 'step') return end;
  const samples = samplesAt(error.place, recipe, trainCount);
  const more = samples.length > mostNamed ? ' …' : '';
  const [first, last] = [samples[0], samples.at(-1)];
  const which = `its samples are ${samples.length} of the training set, from ${first} to ${last}: ${samples.slice(0, mostNamed).join(', ')}${more}`;
  return { ...end, error: { ...error, message: `${error.message}; ${which}` } };
}

/** Positions in the training set, from 0, ascending. */
function samplesAt(
  { round: { epoch, step }, leaf }: NonNullable<RunError['place']>,
  recipe: Recipe,
  trainCount: number,
): number[] {
  const { seed, shards, validationShare = 0 } = recipe;
  const { training } = trainingIndices(trainCount, { validationShare, seed });
  const { batchSize } = countSteps(recipe, training.length);
  const order = createShardOrder({ count: training.length, shards, seed });
  const positions = order.microBatch({ epoch, step, batchSize, shard: leaf });
  return Array.from(positions, (position) => training[position] ?? 0).toSorted((a, b) => a - b);
}
