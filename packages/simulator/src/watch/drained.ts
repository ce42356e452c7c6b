import type { EngineEffect, EngineEvent, EngineStatus, WorkerId } from '@gradwire/engine';
import { must } from './broken-promise.ts';

/** Knows who is being drained, and sees that they get nothing more and are let go in time. */
export interface Drained {
  has(worker: WorkerId): boolean;
  /** A process begins. */
  begin(): void;
  heard(event: EngineEvent, isThere: (worker: WorkerId) => boolean): void;
  /** `before`: the status before the event, if known. */
  saw(effects: readonly EngineEffect[], before: EngineStatus | undefined): void;
  check(status: EngineStatus): void;
}

export function createDrained(): Drained {
  const drained = new Set<WorkerId>();
  let last: EngineEvent | undefined;
  /** Whether the last event leaves a worker with a leaf of the round that is open. */
  const owes = (worker: WorkerId, { outstanding }: EngineStatus): boolean => {
    const node = last?.type === 'partial-arrived' && last.worker === worker ? last.partial : { lo: 0, hi: 0 };
    return outstanding.some(({ leaf, owner }) => owner === worker && (leaf < node.lo || leaf >= node.hi));
  };
  return {
    has: (worker) => drained.has(worker),
    begin: () => drained.clear(),
    heard(event, isThere) {
      last = event;
      if (event.type === 'worker-left' || event.type === 'worker-failed') drained.delete(event.worker);
      if (event.type !== 'operator-asked' || event.request !== 'drain') return;
      if (isThere(event.worker)) drained.add(event.worker);
    },
    saw(effects, before) {
      for (const effect of effects) {
        if (effect.type === 'expel') drained.delete(effect.worker);
        if (effect.type === 'lease')
          must('drained leave', !drained.has(effect.worker), () => `${effect.worker} gets a lease`);
        if (effect.type !== 'release') continue;
        const { worker } = effect;
        must('drained leave', drained.delete(worker), () => `${worker} is released, and was not drained`);
        must('drained leave', !before || !owes(worker, before), () => `${worker} is released too soon`);
      }
    },
    check({ workers }) {
      if (drained.size === 0) return;
      for (const { worker, load } of workers)
        must(
          'drained leave',
          load > 0 || !drained.has(worker),
          () => `${worker} owes nothing, and must stay`,
        );
    },
  };
}
