import type { LayoutRun } from '../layout.ts';

/**
 * Updates one run after the other; whether all new weights are finite. A parameter that no optimizer changes either
 * has the gradient 0 and is no kernel, or is left out here, and put into the new weights by the caller.
 */
export function updateRuns(runs: readonly LayoutRun[], update: (run: LayoutRun) => boolean): boolean {
  let isFinite = true;
  for (const run of runs) isFinite = update(run) && isFinite;
  return isFinite;
}
