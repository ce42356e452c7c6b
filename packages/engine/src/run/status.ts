import type { Round, WorkerId } from '../events.ts';
import { currentRound } from './step-pool.ts';
import { isLate } from './turns.ts';
import type { LeaseTable } from '../leases/lease-table.ts';
import type { UsualTimes } from '../leases/response-meter.ts';
import type { Check } from './checks.ts';
import type { ActiveRound, Run, Worker, WorkerStage } from './state.ts';

/** One leaf that still has to be computed. Times are on the clock of the events. */
export interface OutstandingLeaf {
  readonly leaf: number;
  /** Nobody, if no worker is there to take it. */
  readonly owner: WorkerId | undefined;
  /** When the owner got it, or when it lost its last one. */
  readonly sinceMs: number;
  /** How long the owner usually takes until this leaf and all it has to do besides is done; unknown at first. */
  readonly usualMs: number | undefined;
  /** When it is late; nobody's is never. */
  readonly dueMs: number | undefined;
  /** Who computes it besides the owner. */
  readonly backups: readonly WorkerId[];
}

/** One connected worker. */
export interface WorkerStatus {
  readonly worker: WorkerId;
  readonly stage: WorkerStage;
  readonly numericsClass: string | undefined;
  /** Estimated from its last rounds. */
  readonly samplesPerMs: number | undefined;
  /** What its steps take, computing and all else, from the second on. */
  readonly stepTimes: UsualTimes | undefined;
  /** Leaves that it has still to answer, those of earlier rounds included. */
  readonly load: number;
  /** A deadline has passed, and it has not answered since: it gets no leases while others are there. */
  readonly isLate: boolean;
  readonly isDraining: boolean;
}

/** A node that several workers compute. */
export interface CheckStatus {
  readonly lo: number;
  readonly hi: number;
  /** Their answers differ: more than half of their class must agree. */
  readonly isDispute: boolean;
  readonly answered: readonly WorkerId[];
  readonly awaited: readonly WorkerId[];
}

/** Where the run stands and what it waits for. */
export interface EngineStatus {
  readonly phase: 'new' | 'running' | 'finished' | 'stopped' | 'failed';
  /**
   * `start`: for {@link Engine.start}. `workers`: there are leaves that nobody is there to compute.
   * `leases`: for the owners of `outstanding`. `checks`: for second answers. `restore`: for {@link Engine.restore}. `nothing`: the run has ended.
   */
  readonly waitingFor: 'start' | 'workers' | 'leases' | 'checks' | 'restore' | 'nothing';
  readonly round: Round | undefined;
  /** Ascending. `sinceMs` is on the clock of the events. */
  readonly outstanding: readonly OutstandingLeaf[];
  /** Nodes of which more than one answer is needed. */
  readonly checks: readonly CheckStatus[];
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
    checks: [...(run.active?.checks.values() ?? [])].map(describeCheck),
    workers: workers.map((worker) => describeWorker(run, worker)),
    spares: sparesOf(run),
  };
}

/** Asynchronous: the leaves of all steps on their way; if there are none, those of the next step. */
function outstandingLeaves(run: Run): readonly OutstandingLeaf[] {
  const { active, pool, plan } = run;
  if (!pool) return active ? outstandingOf(run, active) : [];
  const flights = [...pool.flights.values()];
  if (flights.length > 0) return flights.flatMap((flight) => outstandingOf(run, flight.active));
  const none = { owner: undefined, sinceMs: pool.sinceMs, usualMs: undefined, dueMs: undefined, backups: [] };
  return [...Array(plan.shards).keys()].map((leaf) => ({ leaf, ...none }));
}

function outstandingOf({ workers }: Run, { round, leases }: ActiveRound): OutstandingLeaf[] {
  const open = leases.outstanding().filter(({ state }) => state !== 'checking');
  return open.map(({ leaf, owner, sinceMs, current }) => {
    const turns = owner === undefined ? [] : (workers.get(owner)?.turns ?? []);
    const turn = turns.find((each) => each.round === round.index && each.unanswered.has(leaf));
    return {
      leaf,
      owner,
      sinceMs,
      usualMs: turn?.expectation.usualMs,
      dueMs: turn?.dueMs,
      backups: [...current].filter((id) => id !== owner),
    };
  });
}

function waitingFor(run: Run, outstanding: readonly OutstandingLeaf[]): EngineStatus['waitingFor'] {
  if (run.phase === 'new') return 'start';
  if (run.phase !== 'running') return 'nothing';
  if (run.isGoingBack) return 'restore';
  if (outstanding.length === 0 && run.active) return 'checks';
  return outstanding.some(({ owner }) => owner === undefined) ? 'workers' : 'leases';
}

function describeCheck({ lo, hi, isDispute, answers, asked }: Check): CheckStatus {
  return {
    lo,
    hi,
    isDispute,
    answered: [...answers.keys()],
    awaited: [...asked].filter((worker) => !answers.has(worker)),
  };
}

function describeWorker({ nowMs }: Run, worker: Worker): WorkerStatus {
  const { id, stage, numericsClass, speed, response, turns } = worker;
  const load = turns.reduce((sum, { unanswered }) => sum + unanswered.size, 0);
  return {
    worker: id,
    stage,
    numericsClass,
    samplesPerMs: speed.estimate(),
    stepTimes: response.step.usual(),
    load,
    isDraining: worker.isDraining,
    isLate: isLate(worker, nowMs),
  };
}

function sparesOf(run: Run): WorkerId[] {
  const leases = leaseTables(run);
  if (leases.length === 0) return [];
  return [...run.workers.values()]
    .filter(({ id, stage }) => stage === 'ready' && !leases.some((table) => table.holdsAny(id)))
    .map(({ id }) => id);
}

function leaseTables({ active, pool }: Run): LeaseTable[] {
  if (pool) return [...pool.flights.values()].map((flight) => flight.active.leases);
  return active ? [active.leases] : [];
}
