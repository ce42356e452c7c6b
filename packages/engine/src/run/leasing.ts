import { typicalSpeed } from '../leases/speed.ts';
import { divideLeaves } from '../leases/share-leaves.ts';
import { launchFlights } from './step-pool.ts';
import type { EngineEffect, WorkerId } from '../events.ts';
import type { Candidate } from '../leases/share-leaves.ts';
import type { ActiveRound, Run, Worker } from './state.ts';
import type { StepPool } from './step-pool.ts';

/**
 * Leases every leaf that has no owner, if any worker is ready. Called after each event that can leave a leaf
 * without an owner or bring a worker, so that no leaf waits while somebody could compute it.
 */
export function leaseUnowned(run: Run, atMs: number): EngineEffect[] {
  if (run.pool) return leaseSteps(run, run.pool, atMs);
  const { active } = run;
  const ready = [...run.workers.values()].filter(({ stage }) => stage === 'ready');
  const unowned = active?.leases.unowned() ?? [];
  if (!active || unowned.length === 0 || ready.length === 0) return [];

  const shares = run.sharing.share(unowned, toCandidates(run, ready));
  for (const [worker, leaves] of shares) active.leases.grant(leaves, worker, atMs);
  const owners = ready.filter(({ id }) => shares.has(id));
  return [...publish(run, owners), ...[...shares].map(([worker, leaves]) => lease(active, worker, leaves))];
}

/** Asynchronous: a whole step for each worker that has none, the fastest first. */
function leaseSteps(run: Run, pool: StepPool, atMs: number): EngineEffect[] {
  const ready = [...run.workers.values()].filter(({ stage }) => stage === 'ready');
  const fastestFirst = toCandidates(run, ready).toSorted((a, b) => b.speed - a.speed);
  const flights = launchFlights(
    { plan: run.plan, vectors: run.vectors, pool },
    fastestFirst.map(({ worker }) => worker),
    atMs,
  );
  const owners = ready.filter(({ id }) => flights.some(({ worker }) => worker === id));
  return [
    ...publish(run, owners),
    ...flights.map(({ active, worker }) =>
      lease(active, worker, active.leases.leaves({ lo: 0, hi: run.plan.shards })),
    ),
  ];
}

function lease({ round }: ActiveRound, worker: WorkerId, leaves: readonly number[]): EngineEffect {
  return { type: 'lease', worker, round, leaves };
}

/**
 * The shards that a worker would get if every worker were ready: a guess, good enough to fetch data ahead.
 * A spare gets none: it fetches what it needs if it is ever called.
 */
export function expectedShards(run: Run, worker: Worker): number[] {
  if (run.plan.maxStaleness !== undefined) return [...Array(run.plan.shards).keys()];
  const expected = [...run.workers.values()].filter(({ stage }) => stage !== 'joined');
  let start = 0;
  for (const [id, count] of divideLeaves(run.plan.shards, toCandidates(run, expected))) {
    if (id === worker.id) return Array.from({ length: count }, (_, i) => start + i);
    start += count;
  }
  return [];
}

/** Sends the current weights once, to all who lack them. */
function publish(run: Run, workers: readonly Worker[]): EngineEffect[] {
  const version = run.pool?.version ?? run.active?.round.version ?? 0;
  const lacking = workers.filter((worker) => worker.version !== version);
  if (lacking.length === 0) return [];
  for (const worker of lacking) worker.version = version;
  return [{ type: 'publish', version, weights: run.weights, workers: lacking.map(({ id }) => id) }];
}

function toCandidates(run: Run, workers: readonly Worker[]): Candidate[] {
  const typical = typicalSpeed(workers);
  return workers.map(({ id, speed, threads }) => ({
    worker: id,
    speed: speed.estimate() ?? typical * threads,
    load: run.active?.leases.load(id) ?? 0,
  }));
}
