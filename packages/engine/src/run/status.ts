import type { Round, WorkerId } from '../events.ts';
import type { LeaseTable, OutstandingLeaf } from '../leases/lease-table.ts';
import { currentRound } from './step-pool.ts';
import type { Run, Worker, WorkerStage } from './state.ts';

/** One connected worker. */
export interface WorkerStatus {
  readonly worker: WorkerId;
  readonly stage: WorkerStage;
  readonly numericsClass: string | undefined;
  /** Estimated from its last rounds. */
  readonly samplesPerMs: number | undefined;
  /** Leaves that it has still to compute in this round. */
  readonly load: number;
}

/** Where the run stands and what it waits for. */
export interface EngineStatus {
  readonly phase: 'new' | 'running' | 'finished' | 'stopped' | 'failed';
  /**
   * `start`: for {@link Engine.start}. `workers`: there are leaves that nobody is there to compute.
   * `leases`: for the owners of `outstanding`. `nothing`: the run has ended.
   */
  readonly waitingFor: 'start' | 'workers' | 'leases' | 'nothing';
  readonly round: Round | undefined;
  /** Ascending. `sinceMs` is on the clock of the events. */
  readonly outstanding: readonly OutstandingLeaf[];
  /** In the order of joining. */
  readonly workers: readonly WorkerStatus[];
  /** Ready, but without a lease in this round. */
  readonly spares: readonly WorkerId[];
}

export function describeRun(run: Run): EngineStatus {
  const outstanding = outstandingLeaves(run);
  const workers = [...run.workers.values()];
  return {
    phase: run.phase,
    waitingFor: waitingFor(run, outstanding),
    round: run.pool ? currentRound(run.plan, run.pool) : run.active?.round,
    outstanding,
    workers: workers.map((worker) => describeWorker(run, worker)),
    spares: workers.filter((worker) => isSpare(run, worker)).map(({ id }) => id),
  };
}

/** Asynchronous: the leaves of all steps on their way; if there are none, those of the next step. */
function outstandingLeaves({ active, pool, plan }: Run): readonly OutstandingLeaf[] {
  if (!pool) return active?.leases.outstanding() ?? [];
  const flights = [...pool.flights.values()];
  if (flights.length > 0) return flights.flatMap((flight) => flight.active.leases.outstanding());
  return [...Array(plan.shards).keys()].map((leaf) => ({ leaf, owner: undefined, sinceMs: pool.sinceMs }));
}

function waitingFor(run: Run, outstanding: readonly OutstandingLeaf[]): EngineStatus['waitingFor'] {
  if (run.phase === 'new') return 'start';
  if (run.phase !== 'running') return 'nothing';
  return outstanding.some(({ owner }) => owner === undefined) ? 'workers' : 'leases';
}

function describeWorker(run: Run, { id, stage, numericsClass, speed }: Worker): WorkerStatus {
  const load = leaseTables(run).reduce((sum, leases) => sum + leases.load(id), 0);
  return { worker: id, stage, numericsClass, samplesPerMs: speed.estimate(), load };
}

function isSpare(run: Run, { id, stage }: Worker): boolean {
  const leases = leaseTables(run);
  return stage === 'ready' && leases.length > 0 && !leases.some((table) => table.holdsAny(id));
}

function leaseTables({ active, pool }: Run): LeaseTable[] {
  if (pool) return [...pool.flights.values()].map((flight) => flight.active.leases);
  return active ? [active.leases] : [];
}
