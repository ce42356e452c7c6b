import type { EngineEffect } from '@gradwire/engine';
import { type Recipe, trainingSamples } from '@gradwire/recipes';

type End = Extract<EngineEffect, { type: 'end' }>;

const mostNamed = 32;

/** Adds to a run's last word which samples the shard had that its workers failed on: one of them may be the cause. */
export function nameSamples(end: End, recipe: Recipe, trainCount: number): End {
  const { error } = end;
  if (error?.place?.round.task !== 'step') return end;
  const { round, leaf } = error.place;
  const samples = [...trainingSamples(recipe, trainCount).microBatch({ ...round, shard: leaf })];
  samples.sort((a, b) => a - b);
  const more = samples.length > mostNamed ? ' …' : '';
  const [first, last] = [samples[0], samples.at(-1)];
  const which = `its samples are ${samples.length} of the training set, from ${first} to ${last}: ${samples.slice(0, mostNamed).join(', ')}${more}`;
  return { ...end, error: { ...error, message: `${error.message}; ${which}` } };
}
