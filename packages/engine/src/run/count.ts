import { keyOf, type Answer } from './answers.ts';
import type { Contribution, PartialSum } from '../events.ts';
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

/** What a round was made of, and who else has found the same. */
export function withAgreed({ contributions, verified }: ActiveRound): readonly Contribution[] {
  if (verified.size === 0) return contributions;
  return contributions.map((part) => {
    const agreed = verified.get(keyOf(part))?.filter((worker) => worker !== part.worker) ?? [];
    return agreed.length === 0 ? part : { ...part, agreed };
  });
}
