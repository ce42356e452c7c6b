import type { EngineEffect, EnginePlan, EngineStatus, WorkerId } from '@gradwire/engine';
import type { Member } from '../coordinator/life.ts';
import { must } from './broken-promise.ts';

/** What the status is compared with. */
export interface StatusContext {
  readonly members: ReadonlyMap<WorkerId, Member>;
  readonly isDrained: (worker: WorkerId) => boolean;
  /** Given out by the last event. */
  readonly leases: readonly Extract<EngineEffect, { type: 'lease' }>[];
}

/** No lease without an owner, none for anybody who is not there, and nothing remembered that is not there any more. */
export function checkStatus(
  plan: EnginePlan,
  status: EngineStatus,
  { members, isDrained, leases }: StatusContext,
): void {
  const ready = new Set<WorkerId>();
  for (const { worker, stage } of status.workers) {
    if (stage === 'ready') ready.add(worker);
    must('bounded memory', members.has(worker), () => `the engine knows ${worker}, who is not there`);
  }
  if (status.phase !== 'running') return;
  must('bounded memory', status.workers.length === members.size, () => {
    return `the engine knows ${status.workers.length} workers of ${members.size}`;
  });

  const isPooled = plan.maxStaleness !== undefined && status.round?.task === 'step';
  const most = isPooled ? plan.shards * (members.size + 1) : (status.round?.leafCount ?? 0);
  must('bounded memory', status.outstanding.length <= most, () => `${status.outstanding.length} leases`);
  for (const { leaf, owner } of status.outstanding) {
    if (owner === undefined) {
      must(
        'owned leases',
        [...ready].every(isDrained),
        () => `nobody has leaf ${leaf}, and ${ready.size} are ready`,
      );
    } else must('owned leases', ready.has(owner), () => `leaf ${leaf} belongs to ${owner}, who is not ready`);
  }

  if (leases.length === 0) return;
  const open = new Set(status.outstanding.map(({ leaf }) => leaf));
  for (const { lo, hi } of status.checks) for (let leaf = lo; leaf < hi; leaf++) open.add(leaf);
  for (const { worker, round, leaves } of leases) {
    must('valid leases', ready.has(worker), () => `a lease for ${worker}, who is not ready`);
    if (isPooled || round.index !== status.round?.index) continue;
    for (const leaf of leaves) {
      must(
        'valid leases',
        open.has(leaf),
        () => `leaf ${leaf} of round ${round.index} is not to be computed`,
      );
    }
  }
}
