import type { Contribution, EngineEffect, EngineEvent, WorkerId } from '@gradwire/engine';
import { must } from './broken-promise.ts';

/** Knows who was wrong in the round that is open, and sees that nothing of theirs is used in it. */
export interface Convicted {
  /** The round is not gone on with. */
  forget(): void;
  heard(event: EngineEvent): void;
  saw(effect: EngineEffect): void;
}

export function createConvicted(): Convicted {
  const convicted = new Set<WorkerId>();
  let round = -1;
  const close = (parts: readonly Contribution[]): void => {
    for (const { worker, agreed = [], lo, hi } of parts) {
      const isVouched = [worker, ...agreed].some((each) => !convicted.has(each));
      must('convicted out', isVouched, () => {
        return `round ${round} uses what ${worker} said of [${lo}, ${hi}), after it was wrong elsewhere`;
      });
    }
    convicted.clear();
  };
  const goTo = (index: number): void => {
    if (index !== round) convicted.clear();
    round = index;
  };
  return {
    forget: () => convicted.clear(),
    heard(event) {
      // Whoever comes back is asked anew.
      if (event.type === 'worker-joined') convicted.delete(event.worker);
    },
    saw(effect) {
      if (effect.type === 'lease') goTo(effect.round.index);
      if (effect.type === 'incident') {
        goTo(effect.incident.round.index);
        for (const { worker } of effect.incident.wrong) convicted.add(worker);
      }
      if (effect.type === 'commit') close(effect.record.contributions);
      if (effect.type === 'evaluated') close(effect.contributions);
    },
  };
}
