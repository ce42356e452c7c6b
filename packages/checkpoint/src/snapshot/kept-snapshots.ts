/** What decides whether a snapshot stays. */
export interface KeptSnapshot {
  readonly step: number;
  readonly evaluation?: { readonly accuracy: number; readonly loss: number };
}

/** How many of the newest stay. */
const newest = 3;

/** The snapshots that stay: the last three, and the one whose weights did best in an evaluation (the first, if equal). */
export function keptSnapshots<T extends KeptSnapshot>(snapshots: readonly T[]): T[] {
  const best = snapshots.reduce<T | undefined>(
    (found, each) => (isBetter(each, found) ? each : found),
    undefined,
  );
  return snapshots.filter((each, index) => each === best || index >= snapshots.length - newest);
}

/** Whether the weights of `one` did better than those of `other`: more correct answers, then less loss. */
export function isBetter(
  { evaluation: one }: Pick<KeptSnapshot, 'evaluation'>,
  other?: Pick<KeptSnapshot, 'evaluation'>,
): boolean {
  if (one === undefined) return false;
  const before = other?.evaluation;
  if (before === undefined) return true;
  return one.accuracy > before.accuracy || (one.accuracy === before.accuracy && one.loss < before.loss);
}
