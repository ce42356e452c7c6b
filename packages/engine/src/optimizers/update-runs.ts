import type { LayoutRun } from '../layout.ts';

/**
 * Updates one run after the other; whether all new weights are finite. The place to leave out runs by their role:
 * a parameter that no gradient changes does not come here.
 */
export function updateRuns(runs: readonly LayoutRun[], update: (run: LayoutRun) => boolean): boolean {
  let isFinite = true;
  for (const run of runs) isFinite = update(run) && isFinite;
  return isFinite;
}
