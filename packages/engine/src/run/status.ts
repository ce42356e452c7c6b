import type { Round, WorkerId } from '../events.ts';
import type { OutstandingLeaf } from '../leases/lease-table.ts';
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
  const outstanding = run.active?.leases.outstanding() ?? [];
  const workers = [...run.workers.values()];
  return {
    phase: run.phase,
    waitingFor: waitingFor(run, outstanding),
    round: run.active?.round,
    outstanding,
    workers: workers.map((worker) => describeWorker(run, worker)),
    spares: workers.filter((worker) => isSpare(run, worker)).map(({ id }) => id),
  };
}

function waitingFor(run: Run, outstanding: readonly OutstandingLeaf[]): EngineStatus['waitingFor'] {
  if (run.phase === 'new') return 'start';
  if (run.phase !== 'running') return 'nothing';
  return outstanding.some(({ owner }) => owner === undefined) ? 'workers' : 'leases';
}

function describeWorker(run: Run, { id, stage, numericsClass, speed }: Worker): WorkerStatus {
  const load = run.active?.leases.load(id) ?? 0;
  return { worker: id, stage, numericsClass, samplesPerMs: speed.estimate(), load };
}

function isSpare(run: Run, { id, stage }: Worker): boolean {
  return stage === 'ready' && run.active?.leases.holdsAny(id) === false;
}
