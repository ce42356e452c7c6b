import { createActiveRound } from './state.ts';
import type { EnginePlan, Round, WorkerId } from '../events.ts';
import type { ActiveRound, Failure, Run } from './state.ts';

type Computing = Pick<Run, 'plan' | 'vectors'>;

/** A step that one worker computes by itself. */
export interface Flight {
  readonly active: ActiveRound;
  readonly worker: WorkerId;
  /** See {@link WaitingStep.doubted}. */
  readonly doubted: WorkerId | undefined;
  /** Too many updates were made since its weights were sent: somebody else computes the step anew. */
  isOutdated: boolean;
}

/** A step without an owner, and what went wrong with it so far. */
export interface WaitingStep {
  readonly step: number;
  readonly failures: Map<number, Failure>;
  /** Whose gradient of it was not finite, or absurd: somebody else is asked. */
  readonly doubted?: WorkerId;
}

/** The rest of an epoch under the asynchronous strategy: steps on their way at the same time. */
export interface StepPool {
  readonly epoch: number;
  readonly maxStaleness: number;
  /** Steps of the epoch that nobody has, ascending but for those that came back. */
  readonly waiting: WaitingStep[];
  /** By the index of their round; each attempt at a step has an index of its own. */
  readonly flights: Map<number, Flight>;
  nextIndex: number;
  readonly sinceMs: number;
  /** Updates made in the run: the version of the weights. */
  version: number;
}

/** The steps from `first` to the end of its epoch, or of the run. */
export function createStepPool(
  plan: EnginePlan,
  first: Round,
  { maxStaleness, atMs }: { readonly maxStaleness: number; readonly atMs: number },
): StepPool {
  const count = Math.min(plan.stepsPerEpoch - first.step, plan.totalSteps - first.version);
  return {
    epoch: first.epoch,
    maxStaleness,
    waiting: Array.from({ length: count }, (_, i) => ({ step: first.step + i, failures: new Map() })),
    flights: new Map(),
    nextIndex: first.index,
    sinceMs: atMs,
    version: first.version,
  };
}

/**
 * Gives a step to each of `workers` that has none. At most `maxStaleness + 1` steps are on their way at once: more
 * could not all be used.
 */
export function launchFlights(
  { plan, vectors, pool }: Computing & { readonly pool: StepPool },
  workers: readonly WorkerId[],
  atMs: number,
): Flight[] {
  const busy = new Set([...pool.flights.values()].map(({ worker }) => worker));
  const launched: Flight[] = [];
  const inDoubt = pool.waiting[0]?.doubted;
  const free = workers.filter((id) => !busy.has(id));
  for (const worker of free.toSorted((a, b) => Number(a === inDoubt) - Number(b === inDoubt))) {
    const isFull = [...pool.flights.values()].filter(isCurrent).length > pool.maxStaleness;
    if (isFull) break;
    // Somebody else computes what is in doubt, if anybody is there.
    const place = pool.waiting.findIndex(({ doubted }) => doubted !== worker || workers.length === 1);
    const [next] = place < 0 ? [] : pool.waiting.splice(place, 1);
    if (!next) continue;
    const round = roundOf(plan, pool, next.step);
    const flight = createFlight({ plan, vectors }, round, { ...next, worker, atMs });
    pool.flights.set(round.index, flight);
    pool.nextIndex += 1;
    launched.push(flight);
  }
  return launched;
}

/** The round of the pool that is computed next, or longest ago: what a status names. */
export function currentRound(plan: EnginePlan, pool: StepPool): Round | undefined {
  const [oldest] = pool.flights.values();
  const [next] = pool.waiting;
  return oldest?.active.round ?? (next && roundOf(plan, pool, next.step));
}

/** Takes away what a worker was computing. */
export function dropFlights(pool: StepPool, worker: WorkerId): void {
  for (const [index, flight] of pool.flights) {
    if (flight.worker !== worker) continue;
    pool.flights.delete(index);
    if (!flight.isOutdated) putBack(pool, flight);
  }
}

/** Counts an update; steps that were computed on weights now too old are computed anew. */
export function countUpdate(pool: StepPool): void {
  pool.version += 1;
  for (const flight of pool.flights.values()) {
    if (flight.isOutdated || pool.version - flight.active.round.version <= pool.maxStaleness) continue;
    flight.isOutdated = true;
    putBack(pool, flight);
  }
}

/** Takes late steps from their workers, one for each of `helpers` who has nothing else: it computes the step anew. */
export function replaceLate(pool: StepPool, isLate: (flight: Flight) => boolean, helpers: number): void {
  for (const flight of [...pool.flights.values()]
    .filter((each) => isCurrent(each) && isLate(each))
    .slice(0, helpers)) {
    flight.isOutdated = true;
    putBack(pool, flight);
  }
}

/** Whether every step of the pool has been used. */
export function isDone({ waiting, flights }: StepPool): boolean {
  return waiting.length === 0 && ![...flights.values()].some(isCurrent);
}

function isCurrent({ isOutdated }: Flight): boolean {
  return !isOutdated;
}

/** Has somebody else compute a step whose gradient cannot be right, or only by a divergence that they must find too. */
export function askAnother(pool: StepPool, flight: Flight): void {
  pool.flights.delete(flight.active.round.index);
  if (!flight.isOutdated) putBack(pool, { ...flight, doubted: flight.worker });
}

/** What comes back goes first: an epoch should not end with the step that is in trouble. */
function putBack(pool: StepPool, { active, doubted }: Flight): void {
  const step = { step: active.round.step, failures: active.failures };
  pool.waiting.unshift(doubted === undefined ? step : { ...step, doubted });
}

function roundOf({ shards }: EnginePlan, { epoch, nextIndex, version }: StepPool, step: number): Round {
  return { index: nextIndex, task: 'step', version, epoch, step, leafCount: shards };
}

interface Launch {
  readonly worker: WorkerId;
  readonly atMs: number;
  readonly failures: Map<number, Failure>;
  readonly doubted?: WorkerId;
}

function createFlight(run: Computing, round: Round, { worker, atMs, failures, doubted }: Launch): Flight {
  const active = { ...createActiveRound(run, round, atMs), failures };
  active.leases.grant(active.leases.unowned(), worker, atMs);
  return { active, worker, doubted, isOutdated: false };
}
