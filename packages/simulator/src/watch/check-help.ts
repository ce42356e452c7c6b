import type { EngineEffect, EngineStatus, WorkerId } from '@gradwire/engine';
import { must } from './broken-promise.ts';

/** An engine, around one event. */
export interface Moment {
  readonly before: EngineStatus;
  readonly after: EngineStatus;
  readonly nowMs: number;
  /** Given out by the event. */
  readonly leases: readonly Extract<EngineEffect, { type: 'lease' }>[];
}

/** Nobody is late because the coordinator itself did not run. */
export function checkOwnDelay({ before, after }: Moment): void {
  const late = lateIn(before);
  for (const worker of lateIn(after)) {
    must('own delay', late.has(worker), () => `${worker} is late, but the coordinator did not run`);
  }
}

function lateIn({ workers }: EngineStatus): Set<WorkerId> {
  return new Set(workers.flatMap(({ worker, isLate }) => (isLate ? [worker] : [])));
}

/** A leaf that somebody computes is leased to another worker only when it is late, or checked. */
export function checkHelp({ before, after, nowMs, leases }: Moment): void {
  for (const { worker, round, leaves } of leases) {
    if (round.index !== before.round?.index) continue;
    for (const leaf of leaves) {
      const { owner, dueMs = nowMs } = before.outstanding.find((each) => each.leaf === leaf) ?? {};
      if (owner === undefined || owner === worker || dueMs <= nowMs) continue;
      const isChecked = after.checks.some(({ lo, hi }) => leaf >= lo && leaf < hi);
      const isFine = isChecked || after.workers.find((each) => each.worker === owner)?.isLate !== false;
      must('needed leases', isFine, () => `${worker} gets leaf ${leaf}, which ${owner} computes in time`);
    }
  }
}
