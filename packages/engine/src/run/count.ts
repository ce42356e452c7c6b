import { keyOf, type Answer } from './answers.ts';
import type { PartialSum } from '../events.ts';
import type { ActiveRound } from './state.ts';

/** Adds a partial to its round's sum, under the name of the worker whose answer is used. */
export function count(
  active: ActiveRound,
  { answer, partial }: { readonly answer: Answer; readonly partial: PartialSum },
): void {
  const { lo, hi, samples } = partial;
  const { worker, numericsClass, sum } = answer;
  active.leases.finish(partial);
  active.counted.set(keyOf(partial), answer);
  active.contributions.push({ worker, numericsClass, lo, hi, samples, sum });
  active.sum.add(partial, partial);
}
