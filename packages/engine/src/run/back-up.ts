import { treeCover } from '../tree/tree.ts';
import { publish, relaunchLate } from './leasing.ts';
import { giveTurn, isLate, isReady } from './turns.ts';
import type { EngineEffect } from '../events.ts';
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
  let idle: Worker[] | undefined;
  for (const worker of run.late) {
    for (const turn of worker.turns.filter((each) => isOverdue(run, worker, each))) {
      for (const node of lateNodes(run, active, turn)) {
        idle ??= [...run.workers.values()].filter((each) => isReady(each) && each.turns.length === 0);
        const leaves = active.leases.leaves(node);
        const helper = chooseHelper(active, worker, { node, idle });
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

/** The nodes of a turn that only late workers compute. */
function lateNodes(run: Run, active: ActiveRound, turn: Turn): TreeNode[] {
  const { leafCount, task } = active.round;
  const leaves = [...turn.unanswered.keys()].filter((leaf) => {
    const lease = active.leases.lease(leaf);
    if (lease?.state !== 'owned') return false;
    return [...lease.current].every((id) => {
      const holder = run.workers.get(id);
      if (!holder) return true;
      // Leaves of earlier rounds have the same numbers.
      const now = holder.turns.filter(
        ({ round, unanswered }) => round === turn.round && unanswered.has(leaf),
      );
      return now.every((each) => isOverdue(run, holder, each));
    });
  });
  const groupSize = task === 'step' ? run.plan.coding?.groupSize : undefined;
  return treeCover(leaves, leafCount, groupSize);
}

function chooseHelper(
  active: ActiveRound,
  late: Worker,
  { node, idle }: { readonly node: TreeNode; readonly idle: readonly Worker[] },
): Worker | undefined {
  const rank = (worker: Worker): number[] => [
    worker.numericsClass === late.numericsClass ? 0 : 1,
    worker.idleSinceMs > 0 ? 0 : 1,
    active.leases.holdsAny(worker.id) ? 1 : 0,
    worker.turns.length,
    -(worker.speed.estimate() ?? 0),
  ];
  const leases = active.leases.leaves(node).map((leaf) => active.leases.lease(leaf));
  return idle
    .filter(({ id }) => !leases.some((lease) => lease?.current.has(id)))
    .toSorted((a, b) => compareRanks(rank(a), rank(b)))[0];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, i) => value !== b[i]);
  return index < 0 ? 0 : a[index]! - b[index]!;
}
