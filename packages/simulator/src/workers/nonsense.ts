import type { PartialSum } from '@gradwire/engine';
import type { World } from '../base/world.ts';
import type { SimulatedWorker } from './simulated-worker.ts';

/** Ways to break the protocol with a sum. */
const ways: readonly ((partial: PartialSum) => PartialSum)[] = [
  (partial) => ({ ...partial, samples: partial.samples + 1 }),
  // Without its first leaf: a neighbour of equal size could pass for the sum of other leaves, which is a lie, no nonsense.
  (partial) => ({ ...partial, lo: partial.lo + 1 }),
  (partial) => ({ ...partial, lo: -1 }),
  (partial) => ({ ...partial, hi: partial.hi + 0.5 }),
  (partial) => ({ ...partial, round: partial.round + 1 }),
  (partial) => ({ ...partial, gradient: new Float32Array(partial.gradient.length + 1) }),
  (partial) => ({ ...partial, metrics: new Float64Array(0) }),
  (partial) => ({ ...partial, computeMs: Number.NaN }),
  (partial) => ({ ...partial, metrics: partial.metrics.with(1, -1) }),
];

/** The worker breaks the protocol: it must be put out, or what it says dropped. */
export function spoil({ draws, tally }: World, worker: SimulatedWorker, partial: PartialSum): PartialSum {
  tally.nonsense++;
  worker.isHonest = false;
  return draws.work.pick(ways)(partial);
}
