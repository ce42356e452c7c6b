import type { FaultKind } from '../faults/fault-kinds.ts';
import { canStrike, type RunSize } from '../scenario/resize.ts';
import type { SeedsReport } from './run-seeds.ts';

/** In fewer a kind may be missing by chance. Runs of a given size may be over before what is rare strikes. */
const enoughSeeds = 1_000;
const enoughSizedSeeds = 10_000;

/** Many seeds prove nothing about a kind of fault that never struck, although it could in runs of this size. */
export function missingKinds({ seeds, faults }: SeedsReport, size?: RunSize): FaultKind[] {
  if (seeds < (size ? enoughSizedSeeds : enoughSeeds)) return [];
  const kinds = Object.keys(faults) as FaultKind[];
  return kinds.filter((kind) => faults[kind] === 0 && (!size || canStrike(kind, size)));
}
