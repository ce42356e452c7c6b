import type { World } from '../base/world.ts';
import { progressBoundMs } from '../scenario/bounds.ts';
import type { Crew } from '../workers/crew.ts';
import { must } from './broken-promise.ts';
import type { Watch } from './watch.ts';

/** Sees whether a run stands still, also while faults strike. */
export interface Progress {
  /** Cheap: after everything that happens. */
  check(): void;
}

export function createProgress({ agenda, scenario }: World, watch: Watch, crew: Crew): Progress {
  const boundMs = progressBoundMs(scenario);
  return {
    check() {
      const latestMs = agenda.nowMs - boundMs;
      if (watch.lastRoundMs > latestMs) return;
      const sound = crew
        .alive()
        .find(({ connection, soundSinceMs }) => connection && soundSinceMs < latestMs);
      must('progress', !sound, () => {
        return `${sound?.name} is sound and reachable, and no round was closed for ${boundMs} ms`;
      });
    },
  };
}
