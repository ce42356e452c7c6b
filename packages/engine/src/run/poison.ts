import { unitsOf } from './feedback.ts';
import { describeLeaves, describeRound } from './sequence.ts';
import { publish } from './leasing.ts';
import { endRun } from './state.ts';
import { isSuspect } from './suspects.ts';
import { giveTurn, isIdle } from './turns.ts';
import type { EngineEffect, RunError } from '../events.ts';
import type { ActiveRound, Run, Worker } from './state.ts';
import type { Deaths } from './suspects.ts';

/**
 * Connections that break within this time of each other break for one reason, such as a switch that restarts: those who
 * inherit a leaf in between were lost already. A worker that dies of a leaf and is started again takes longer.
 */
const burstMs = 250;

/**
 * Notes which leaves a lost worker held. A sample may crash every worker that gets it; but two machines may also be
 * switched off one after the other, so that only workers that held nothing else count as proof:
 *
 *     lost with this leaf          then
 *     1                            it is leased like any other
 *     2                            it is leased alone, to a worker that has nothing else
 *     2, both with nothing else    the run ends
 *     3, one with nothing else     the run ends
 */
export function noteDeath(run: Run, worker: Worker, atMs: number): EngineEffect[] {
  const { active } = run;
  if (!active) return [];
  const held = worker.turns
    .filter(({ round }) => round === active.round.index)
    .flatMap(({ unanswered }) => [...unanswered.keys()])
    .filter((leaf) => active.leases.lease(leaf)?.state === 'owned');
  const isAlone = unitsOf(run.plan, active.round, held).length === 1;
  for (const leaf of held) {
    const deaths = active.deaths.get(leaf) ?? { workers: new Set(), alone: new Set(), lastMs: -Infinity };
    if (atMs - deaths.lastMs < burstMs) continue;
    deaths.lastMs = atMs;
    deaths.workers.add(worker.id);
    if (isAlone) deaths.alone.add(worker.id);
    active.deaths.set(leaf, deaths);
    if (isProven(deaths)) return endRun(run, 'failed', describePoison(active, leaf, deaths));
  }
  return [];
}

function isProven({ workers, alone }: Deaths): boolean {
  return alone.size >= 2 || (alone.size >= 1 && workers.size >= 3);
}

function describePoison({ round, leases }: ActiveRound, leaf: number, { workers }: Deaths): RunError {
  const samples = leases.lease(leaf)?.samples ?? 0;
  const what = `${describeRound(round)}: ${describeLeaves(round, [leaf])} with ${samples} samples`;
  const names = [...workers].join(', ');
  return {
    code: 'WORKER_FAILED',
    message: `${what} is put aside: the connections to ${names} broke while they computed it, one after the other`,
    place: { round, leaf, workers: [...workers] },
  };
}

/** Leases what may crash its worker, one leaf to each worker that has nothing else. */
export function leaseSuspects(run: Run, atMs: number): EngineEffect[] {
  const { active } = run;
  if (!active || active.deaths.size === 0) return [];
  const leavesLeft = active.leases.unowned().filter((leaf) => isSuspect(active, leaf));
  const suspects = unitsOf(run.plan, active.round, leavesLeft);
  const idle = [...run.workers.values()].filter(isIdle);
  return idle.slice(0, suspects.length).flatMap((worker, i) => {
    const leaves = suspects[i] ?? [];
    active.leases.grant(leaves, worker.id, atMs);
    return [...publish(run, [worker]), giveTurn(run, worker, { active, leaves, atMs })];
  });
}
