import { expectedShards, leaseUnowned } from './leasing.ts';
import { createWorker } from './state.ts';
import { dropFlights } from './step-pool.ts';
import type { EngineEffect, WorkerId } from '../events.ts';
import type { Run, Worker, WorkerEventOf } from './state.ts';

/** A worker is there; it says next when its model is built. */
export function join(run: Run, id: WorkerId, threads = 1): EngineEffect[] {
  if (run.workers.has(id)) throw new RangeError(`worker ${id} has already joined`);
  run.workers.set(id, createWorker(id, threads));
  return [];
}

/** Its model is built: it may fetch its data. */
export function prepare(run: Run, worker: Worker, event: WorkerEventOf<'worker-ready'>): EngineEffect[] {
  worker.stage = 'preparing';
  worker.numericsClass = event.numericsClass;
  worker.askedShards = expectedShards(run, worker);
  return [{ type: 'prepare', worker: worker.id, shards: worker.askedShards }];
}

/** It has its data: it gets leases from the next round on, or at once if leaves wait and nobody has them. */
export function enlist(run: Run, worker: Worker, event: WorkerEventOf<'worker-prepared'>): EngineEffect[] {
  const { shards, atMs } = event;
  const missing = worker.askedShards.filter((shard) => !shards.includes(shard));
  if (missing.length > 0)
    return expel(run, worker, { message: `did not prepare shards ${missing.join(', ')}`, atMs });
  worker.stage = 'ready';
  return leaseUnowned(run, atMs);
}

/** It is gone: its unfinished leases go to others, what it has finished stays counted. */
export function forget(run: Run, worker: Worker, atMs: number): EngineEffect[] {
  run.workers.delete(worker.id);
  run.active?.leases.release(worker.id, atMs);
  // If it comes back under its name, it may be asked again.
  for (const { asked, answers } of run.active?.checks.values() ?? []) {
    if (!answers.has(worker.id)) asked.delete(worker.id);
  }
  if (run.pool) dropFlights(run.pool, worker.id);
  return leaseUnowned(run, atMs);
}

/** It gets no more leases. */
export function drain(run: Run, id: WorkerId): EngineEffect[] {
  const worker = run.workers.get(id);
  if (worker) run.hasDraining = worker.isDraining = true;
  return [];
}

/** Dismisses drained workers that owe nothing any more. */
export function releaseDrained(run: Run, atMs: number): EngineEffect[] {
  if (!run.hasDraining) return [];
  const draining = [...run.workers.values()].filter(({ isDraining }) => isDraining);
  run.hasDraining = draining.length > 0;
  const done = draining.filter(({ turns }) => turns.length === 0);
  return done.flatMap((worker) => [
    { type: 'release', worker: worker.id } as const,
    ...forget(run, worker, atMs),
  ]);
}

/** Why and when a worker is put out. */
export interface Expulsion {
  /** Default: it broke the protocol. */
  readonly code?: 'MESSAGE_INVALID' | 'WRONG_NUMBERS';
  readonly message: string;
  readonly atMs: number;
}

/** It broke the protocol, or computes wrong numbers: it is put out and forgotten. */
export function expel(
  run: Run,
  worker: Worker,
  { code = 'MESSAGE_INVALID', message, atMs }: Expulsion,
): EngineEffect[] {
  const effect: EngineEffect = { type: 'expel', worker: worker.id, code, message };
  return [effect, ...forget(run, worker, atMs)];
}
