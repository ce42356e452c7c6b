import { typicalSpeed } from '../leases/speed.ts';
import { unitSize, unitsOf } from './feedback.ts';
import { isSuspect } from './suspects.ts';
import { launchFlights, replaceLate } from './step-pool.ts';
import { createTypicalMs, giveTurn, isLate, isReady } from './turns.ts';
import type { EngineEffect } from '../events.ts';
import type { Candidate } from '../leases/share-leaves.ts';
import type { Run, Worker } from './state.ts';
import type { StepPool } from './step-pool.ts';

/**
 * Leases every leaf that has no owner, if any worker is ready. Called after each event that can leave a leaf
 * without an owner or bring a worker, so that no leaf waits while somebody could compute it.
 */
export function leaseUnowned(run: Run, atMs: number): EngineEffect[] {
  if (run.pool) return leaseSteps(run, run.pool, atMs);
  const { active } = run;
  if (!active) return [];
  const unowned = active.leases.unowned().filter((leaf) => !isSuspect(active, leaf));
  if (unowned.length === 0) return [];
  const ready = available(run, atMs);
  if (ready.length === 0) return [];

  const units = unitsOf(run.plan, active.round, unowned);
  const size = unitSize(run.plan, active.round);
  const shares = run.sharing.share(units, toCandidates(ready, size));
  const owners = ready.filter(({ id }) => shares.has(id));
  const typicalMs = createTypicalMs(run, active.round.task);
  const leases = owners.map((worker) => {
    const leaves: number[] = [];
    for (const unit of shares.get(worker.id) ?? []) leaves.push(...unit);
    active.leases.grant(leaves, worker.id, atMs);
    return giveTurn(run, worker, { active, leaves, atMs, typicalMs });
  });
  return [...publish(run, owners), ...leases];
}

/** Asynchronous: steps that are late are computed anew by workers that have nothing else to do. */
export function relaunchLate(run: Run, pool: StepPool, atMs: number): EngineEffect[] {
  const idle = available(run, atMs).filter(({ turns }) => turns.length === 0);
  if (idle.length === 0) return [];
  const lateRounds = new Set(
    [...run.workers.values()].flatMap(({ turns }) =>
      turns.filter((turn) => turn.isLate).map(({ round }) => round),
    ),
  );
  replaceLate(pool, ({ active }) => lateRounds.has(active.round.index), idle.length);
  return leaseSteps(run, pool, atMs);
}

/** The workers that get leases: those that are late only if all are. */
function available(run: Run, atMs: number): Worker[] {
  const ready = [...run.workers.values()].filter(isReady);
  const punctual = ready.filter((worker) => !isLate(worker, atMs));
  return punctual.length > 0 ? punctual : ready;
}

/** Asynchronous: a whole step for each worker that has none, the fastest first. */
function leaseSteps(run: Run, pool: StepPool, atMs: number): EngineEffect[] {
  const ready = available(run, atMs);
  const fastestFirst = toCandidates(ready).toSorted((a, b) => b.speed - a.speed);
  const flights = launchFlights(
    { plan: run.plan, vectors: run.vectors, pool },
    fastestFirst.map(({ worker }) => worker),
    atMs,
  );
  const owners = ready.filter(({ id }) => flights.some(({ worker }) => worker === id));
  return [
    ...publish(run, owners),
    ...owners.flatMap((worker) =>
      flights
        .filter((flight) => flight.worker === worker.id)
        .map(({ active }) => {
          const leaves = active.leases.leaves({ lo: 0, hi: run.plan.shards });
          return giveTurn(run, worker, { active, leaves, atMs });
        }),
    ),
  ];
}

/**
 * The shards that a worker that has just joined would get if every worker were ready: a guess, good enough to fetch data
 * ahead. A spare gets none: it fetches what it needs if it is ever called.
 */
export function expectedShards(run: Run, worker: Worker): number[] {
  const { shards, maxStaleness } = run.plan;
  if (maxStaleness !== undefined) return [...Array(shards).keys()];
  // Thousands may come at once, and each is asked: a division of all leaves would be too much here. Nothing is known of
  // its speed, it comes last, and of equals the first get what is left over.
  let threads = 0;
  for (const each of run.workers.values()) if (each.stage !== 'joined') threads += each.threads;
  const size = unitSize(run.plan, { task: 'step' });
  const units = Math.ceil(shards / size);
  const start = (units - Math.floor((units * worker.threads) / threads)) * size;
  return Array.from({ length: Math.max(0, shards - start) }, (_, i) => start + i);
}

/** Sends the current weights once, to all who lack them. */
export function publish(run: Run, workers: readonly Worker[]): EngineEffect[] {
  const version = run.pool?.version ?? run.active?.round.version ?? 0;
  const lacking = workers.filter((worker) => worker.version !== version);
  if (lacking.length === 0) return [];
  for (const worker of lacking) worker.version = version;
  return [{ type: 'publish', version, weights: run.weights, workers: lacking.map(({ id }) => id) }];
}

/** `unit`: leaves that are leased together. */
function toCandidates(workers: readonly Worker[], unit = 1): Candidate[] {
  const typical = typicalSpeed(workers);
  return workers.map(({ id, speed, threads, turns }) => ({
    worker: id,
    speed: speed.estimate() ?? typical * threads,
    load: turns.reduce((sum, { unanswered }) => sum + unanswered.size, 0) / unit,
  }));
}
