import { treeCover } from '../tree/tree.ts';
import { publish, relaunchLate } from './leasing.ts';
import { giveTurn, isIdle, isLate } from './turns.ts';
import type { EngineEffect } from '../events.ts';
import type { Lease } from '../leases/lease-table.ts';
import type { Turn } from '../leases/turn.ts';
import type { TreeNode } from '../tree/tree.ts';
import type { ActiveRound, Run, Worker } from './state.ts';

/** Has others compute what is late, if they have nothing else to do. */
export function backUp(run: Run, atMs: number): EngineEffect[] {
  if (run.late.size === 0 || run.phase !== 'running') return [];
  for (const worker of run.late) if (!owesLate(run, worker)) run.late.delete(worker);
  if (run.pool) return relaunchLate(run, run.pool, atMs);
  return run.active ? backUpLate(run, run.active, atMs) : [];
}

/**
 * Leases late work to idle workers too: whole nodes, as the late worker would send them, so that the second answer can be
 * compared with the first. One backup at a time; if it is late as well, the next one.
 *
 *     who helps     first the same numerics class, then who has answered before, then who has no lease in this round
 */
function backUpLate(run: Run, active: ActiveRound, atMs: number): EngineEffect[] {
  const effects: EngineEffect[] = [];
  const helpers = createHelpers(run, active);
  for (const worker of run.late) {
    for (const turn of worker.turns) {
      if (!isOverdue(run, worker, turn)) continue;
      for (const node of lateNodes(run, active, turn)) {
        const leaves = active.leases.leaves(node);
        const helper = helpers.take(worker, leaves);
        if (!helper) continue;
        active.leases.lend(leaves, helper.id);
        effects.push(...publish(run, [helper]), giveTurn(run, helper, { active, leaves, atMs }));
      }
    }
  }
  return effects;
}

/** Whether others may do what a turn of this round has left; also if its worker may get new leases again. */
function isOverdue({ active, nowMs }: Run, worker: Worker, turn: Turn): boolean {
  return turn.round === active?.round.index && (turn.isLate || isLate(worker, nowMs));
}

function owesLate({ workers }: Run, worker: Worker): boolean {
  return workers.get(worker.id) === worker && worker.turns.some((turn) => turn.isLate);
}

/** The nodes of a turn that only late workers compute. Asked after each event while anybody is late. */
function lateNodes(run: Run, active: ActiveRound, turn: Turn): TreeNode[] {
  const { leafCount, task } = active.round;
  const leaves: number[] = [];
  for (const leaf of turn.unanswered.keys()) {
    const lease = active.leases.lease(leaf);
    if (lease?.state === 'owned' && areAllLate(run, lease, turn.round)) leaves.push(leaf);
  }
  if (leaves.length === 0) return [];
  const groupSize = task === 'step' ? run.plan.coding?.groupSize : undefined;
  return treeCover(leaves, leafCount, groupSize);
}

/** Whether none of those who compute a leaf does so in time. */
function areAllLate(run: Run, { leaf, current }: Lease, ofRound: number): boolean {
  for (const id of current) {
    const holder = run.workers.get(id);
    if (!holder) continue;
    for (const turn of holder.turns) {
      // Leaves of earlier rounds have the same numbers.
      if (turn.round === ofRound && turn.unanswered.has(leaf) && !isOverdue(run, holder, turn)) return false;
    }
  }
  return true;
}

/** Idle workers, who take turns in helping. */
interface Helpers {
  /** The best one for these leaves of a late worker: none of those who compute them already. */
  take(late: Worker, leaves: readonly number[]): Worker | undefined;
}

/** There may be thousands of workers, and of late ones: all are looked at once, when the first is needed. */
function createHelpers(run: Run, active: ActiveRound): Helpers {
  let idle: Worker[] | undefined;
  return {
    take(late, leaves) {
      idle ??= bestFirst([...run.workers.values()].filter(isIdle), active);
      const leases = leaves.map((leaf) => active.leases.lease(leaf));
      const canHelp = ({ id }: Worker): boolean => !leases.some((lease) => lease?.current.has(id));
      const isAlike = ({ numericsClass }: Worker): boolean => numericsClass === late.numericsClass;
      const helper = idle.find((worker) => isAlike(worker) && canHelp(worker)) ?? idle.find(canHelp);
      if (helper) idle.push(...idle.splice(idle.indexOf(helper), 1));
      return helper;
    },
  };
}

/** First who has answered before, then who has no lease in this round, then who is fast. */
function bestFirst(workers: readonly Worker[], { leases }: ActiveRound): Worker[] {
  return workers
    .map((worker) => ({
      worker,
      rank: (worker.idleSinceMs > 0 ? 0 : 2) + (leases.holdsAny(worker.id) ? 1 : 0),
      speed: worker.speed.estimate() ?? 0,
    }))
    .toSorted((a, b) => a.rank - b.rank || b.speed - a.speed)
    .map(({ worker }) => worker);
}
