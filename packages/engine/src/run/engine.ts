import { backUp } from './back-up.ts';
import { checkPlan } from './check-plan.ts';
import { failLeaf, receivePartial } from './contributions.ts';
import { drain, enlist, expel, forget, join, prepare, releaseDrained } from './membership.ts';
import { leaseSuspects, noteDeath } from './poison.ts';
import { openRound } from './rounds.ts';
import { reviewChecks } from './settle.ts';
import { initialState, optimizerAt, snapshotRun, stepsIn } from './run-state.ts';
import { createRun, endRun } from './state.ts';
import { describeRun } from './status.ts';
import { markLate, noteTime } from './turns.ts';
import { plainVectors } from '../vectors/plain-vectors.ts';
import type { EngineEffect, EngineEvent, EnginePlan, StepContributions } from '../events.ts';
import type { RunState } from './run-state.ts';
import type { Run, Verification, Worker, WorkerEvent, WorkerEventOf } from './state.ts';
import type { EngineStatus } from './status.ts';
import type { VectorMath } from '../vectors/vector-math.ts';

/** The rules of a run: told what happened, it answers what to do. No I/O, no clock, no randomness. */
export interface Engine {
  /** Opens the first round. Workers may join before; a `RangeError` if called twice. */
  start(atMs: number): EngineEffect[];
  /** Takes an event, in the order in which they happened, and returns what the caller must do, in order. */
  handle(event: EngineEvent): EngineEffect[];
  /**
   * When it wants to hear of the time, as a `time-passed` event, at the latest: leases may be late then. Ask again after
   * each event; none if nothing is leased. It should come within a quarter of a second: much later means that this process
   * did not run, and the deadlines start again. Tell it first of
   * the messages that have waited until then: nobody is late with them.
   */
  nextDeadlineMs(): number | undefined;
  status(): EngineStatus;
  /** The current weights. This vector never changes: each step makes a new one. */
  weights(): Float32Array;
  /**
   * The state as of the last closed round, to go on from later; its vectors do not change afterwards. None where there
   * is no clean boundary: in an epoch of asynchronous steps, within a period of error feedback, and after a failure.
   */
  snapshot(): RunState | undefined;
  /**
   * Goes back (or forward) to a state of this run and opens the round after it. All leases of before are void, workers
   * keep their place. A `RangeError` if the run has not started or has ended, or if the state is not one of this plan.
   */
  restore(state: RunState, atMs: number): EngineEffect[];
}

/** How an engine starts. */
export interface EngineOptions {
  /** Who computes on weights and gradients, by default plain TypeScript; the bits are the same. */
  readonly vectors?: VectorMath;
  /** Where to go on, by default at the beginning. */
  readonly from?: RunState;
  /** All steps and evaluations up to that place, in order: what a worker has contributed there is undone too if it lied. */
  readonly contributed?: readonly StepContributions[];
  /** Has a share of the leases computed twice; not with `maxStaleness`. Default: none. */
  readonly verify?: Verification | undefined;
}

function checkVerification({ maxStaleness }: EnginePlan, verify: Verification | undefined): void {
  if (!verify) return;
  if (!(verify.share >= 0 && verify.share <= 1)) {
    throw new RangeError(`verify.share must be from 0 to 1, found ${verify.share}`);
  }
  if (maxStaleness !== undefined) throw new RangeError('verify: not possible with maxStaleness');
}

/**
 * Creates the engine of one run.
 *
 * @throws RangeError naming the setting of the plan that cannot work, or the part of the state that does not fit it.
 * @example
 * const engine = createEngine(plan);
 * perform(engine.start(performance.now()));
 * channel.onMessage((event) => perform(engine.handle(event)));
 */
export function createEngine(plan: EnginePlan, options: EngineOptions = {}): Engine {
  checkPlan(plan);
  const { vectors = plainVectors, from = initialState(plan), verify, contributed = [] } = options;
  checkVerification(plan, verify);
  const run = createRun(plan, { vectors, from, verify, contributed });
  return {
    start: (atMs) => start(run, atMs),
    handle: (event) => handle(run, event),
    nextDeadlineMs: () => (run.nextDueMs === Infinity ? undefined : run.nextDueMs),
    status: () => describeRun(run),
    weights: () => run.weights,
    snapshot: () => snapshotRun(run),
    restore: (state, atMs) => restore(run, state, atMs),
  };
}

function start(run: Run, atMs: number): EngineEffect[] {
  if (run.phase !== 'new') throw new RangeError(`start: the run is already ${run.phase}`);
  run.phase = 'running';
  noteTime(run, atMs);
  return openRound(run, atMs);
}

function restore(run: Run, state: RunState, atMs: number): EngineEffect[] {
  if (run.phase !== 'running') throw new RangeError(`restore: the run is ${run.phase}`);
  run.optimizer = optimizerAt(run.plan, run.vectors, state);
  run.weights = state.weights;
  run.epochTotals = { ...state.epochTotals };
  run.lastRound = state.lastRound;
  // A version comes again, maybe with other weights: if somebody computed wrong numbers, these are the right ones.
  for (const worker of run.workers.values()) worker.version = undefined;
  if (run.pool) run.nextIndex = run.pool.nextIndex;
  run.isGoingBack = false;
  run.trust?.goBack(stepsIn(state));
  return openRound(run, atMs);
}

/**
 *     event              run is new or running                run has ended
 *     any                review checks; lease what is late    nothing
 *                        to others too
 *     time-passed        before that, note what is late       nothing
 *     operator-asked     end it; drain: no more leases        nothing
 *     worker-joined      remember it                          nothing
 *     others             the table of handleWorker            nothing
 */
function handle(run: Run, event: EngineEvent): EngineEffect[] {
  if (run.phase !== 'new' && run.phase !== 'running') return [];
  noteTime(run, event.atMs);
  const effects = takeEvent(run, event);
  // Answers that have waited while this process did not run are heard first.
  if (event.type === 'time-passed') markLate(run, event.atMs);
  return withoutVain([
    ...effects,
    ...reviewChecks(run, event.atMs),
    ...backUp(run, event.atMs),
    ...leaseSuspects(run, event.atMs),
    ...releaseDrained(run, event.atMs),
  ]);
}

/** Whoever is put out after all gets no work before that. */
function withoutVain(effects: EngineEffect[]): EngineEffect[] {
  if (!effects.some(({ type }) => type === 'expel')) return effects;
  const gone = new Set(effects.flatMap((effect) => (effect.type === 'expel' ? [effect.worker] : [])));
  return effects.filter((effect) => effect.type !== 'lease' || !gone.has(effect.worker));
}

function takeEvent(run: Run, event: EngineEvent): EngineEffect[] {
  if (event.type === 'time-passed') return [];
  if (event.type === 'operator-asked' && event.request === 'drain') return drain(run, event.worker);
  if (event.type === 'operator-asked') return endRun(run, event.request === 'stop' ? 'stopped' : 'failed');
  if (event.type === 'worker-joined') return join(run, event.worker, event.threads);
  return handleWorker(run, event);
}

function leave(run: Run, worker: Worker, event: WorkerEventOf<'worker-left'>): EngineEffect[] {
  const ending = event.isLost ? noteDeath(run, worker, event.atMs) : [];
  return [...ending, ...forget(run, worker, event.atMs)];
}

/** The one stage in which a worker may send this; at any other time it breaks the protocol. */
const expectedStage = {
  'worker-ready': 'joined',
  'worker-prepared': 'preparing',
  'partial-arrived': 'ready',
} as const;

/**
 *     event              stage: joined      preparing        ready
 *     worker-ready       -> preparing       expel            expel
 *     worker-prepared    expel              -> ready         expel
 *     partial-arrived    expel              expel            judge it
 *     worker-left        forget it          forget it        forget it
 *     worker-failed      forget it          forget it        note the leaf, forget it
 */
function handleWorker(run: Run, event: WorkerEvent): EngineEffect[] {
  const worker = run.workers.get(event.worker);
  // Its last message crossed our decision to put it out.
  if (!worker) return [];
  if (event.type === 'worker-left') return leave(run, worker, event);
  if (event.type === 'worker-failed') return failLeaf(run, worker, event);

  if (worker.stage !== expectedStage[event.type]) {
    const message = `${event.type} from a worker that is ${worker.stage}`;
    return expel(run, worker, { message, atMs: event.atMs });
  }
  if (event.type === 'worker-ready') return prepare(run, worker, event);
  if (event.type === 'worker-prepared') return enlist(run, worker, event);
  return receivePartial(run, worker, event);
}
