import { performance } from 'node:perf_hooks';
import {
  type CatchUp,
  createCatchUp,
  createEngine,
  type Engine,
  type EngineEffect,
  type EngineEvent,
  type EnginePlan,
  plainVectors,
  type RunState,
  type StepContributions,
  type VectorMath,
  type Verification,
  type WorkerId,
} from '@gradwire/engine';
import { encodePieces } from '@gradwire/protocol';
import { type Channel, type Frame, freeYoungGarbage } from '@gradwire/transport';
import { createAlarm } from './alarm.ts';
import type { Codecs } from './codecs.ts';
import type { CoordinatorEvent } from './events.ts';
import type { Progress } from './progress.ts';
import { incidentsOf } from './incidents-of.ts';
import { leaseOf } from './lease-of.ts';
import { createOutboxes } from './outbox.ts';
import type { Sessions } from './sessions.ts';
import type { IncidentFacts } from './storage/incident-log.ts';

/** An engine event before it is stamped with the time. */
export type RunEvent = EngineEvent extends infer E ? (E extends unknown ? Omit<E, 'atMs'> : never) : never;

/** How a connection ends for each of the engine's reasons. */
const expelCodes = { MESSAGE_INVALID: 'invalidMessage', WRONG_NUMBERS: 'wrongNumbers' } as const;

/** How the engine ended. */
export type RunEnd = Extract<EngineEffect, { type: 'end' }>;

/** The engine must go back. */
export type RollBack = Extract<EngineEffect, { type: 'roll-back' }>;

/** What a run needs around the engine. */
export interface RunOptions {
  readonly plan: EnginePlan;
  readonly codecs: Codecs;
  /** Stands in every lease: an answer to another coordinator's is not used. */
  readonly term: number;
  /** Default: plain TypeScript. */
  readonly vectors?: VectorMath | undefined;
  /** Default: no lease is computed twice. */
  readonly verify?: Verification | undefined;
  /** Where an earlier run goes on, and how long it has trained. */
  readonly from?: { readonly state: RunState; readonly seconds: number } | undefined;
  /** All steps and evaluations of the earlier run until there. */
  readonly contributed?: readonly StepContributions[];
  readonly sessions: () => Sessions;
  readonly progress: Progress;
  readonly onEvent: (event: CoordinatorEvent) => void;
  /** A round was closed and written down, and the run goes on. */
  readonly onRoundClosed: () => void;
  readonly onIncident: (facts: IncidentFacts) => void;
  /** Adds to the end what the engine does not know. */
  readonly explainEnd: (end: RunEnd) => RunEnd;
  readonly onEnd: (end: RunEnd) => void;
  /** The engine waits for an earlier state. */
  readonly onRollBack: (effect: RollBack) => void;
}

/** The engine at work: events in, effects carried out at once and in order. */
export interface Run {
  readonly engine: Engine;
  /** When something last moved, on the clock of `performance.now()`. */
  readonly lastMoveMs: number;
  /** From the first lease to the last commit or evaluation, over all starts of the run. */
  readonly seconds: number;
  start(): void;
  dispatch(event: RunEvent): void;
  /** The engine's snapshot, once all that came before it is written down. */
  snapshot(): RunState | undefined;
  /** Goes on from an earlier state. */
  restore(state: RunState): void;
}

/** Puts an engine to work; `sessions` is asked for when the first effect needs it. */
export function createRun(options: RunOptions): Run {
  const { plan, vectors, verify, from, contributed = [], onRoundClosed } = options;
  const engine = createEngine(plan, {
    ...(vectors ? { vectors } : {}),
    verify,
    contributed,
    ...(from ? { from: from.state } : {}),
  });
  const secondsBefore = from?.seconds ?? 0;
  let lastMoveMs = performance.now();
  let firstLeaseMs: number | undefined;

  const catchUp = createCatchUp(plan);
  const apply = createApply(options, { engine, catchUp }, () => {
    firstLeaseMs ??= performance.now();
  });
  let unnoted: readonly EngineEffect[] = [];
  const note = (): void => {
    const effects = unnoted;
    unnoted = [];
    for (const effect of effects) apply(effect);
    const isClosed = effects.some(({ type }) => type === 'commit' || type === 'evaluated');
    if (isClosed && !effects.some(({ type }) => type === 'end')) onRoundClosed();
  };

  const carryOut = (effects: readonly EngineEffect[]): void => {
    if (effects.length === 0) return;
    lastMoveMs = performance.now();
    // Workers wait for what is sent to them, nobody for what is written down: it may wait until workers of this process have begun.
    const [sent, noted] = [effects.filter(isSent), effects.filter((effect) => !isSent(effect))];
    for (const effect of sent) apply(effect);
    unnoted = noted;
    if (sent.length === 0 || !noted.every(isRecord)) return note();
    setImmediate(note);
    setImmediate(freeYoungGarbage);
  };

  // What a round has left to note is of the state before the next event.
  const handle = (event: EngineEvent): void => {
    note();
    carryOut(engine.handle(event));
  };
  const alarm = createAlarm(engine.nextDeadlineMs, (atMs) => handle({ type: 'time-passed', atMs }));

  return {
    engine,
    get lastMoveMs() {
      return lastMoveMs;
    },
    get seconds() {
      return secondsBefore + (firstLeaseMs === undefined ? 0 : (lastMoveMs - firstLeaseMs) / 1000);
    },
    start() {
      carryOut(engine.start(performance.now()));
      alarm.arm();
    },
    snapshot() {
      note();
      return engine.snapshot();
    },
    restore(state) {
      note();
      catchUp.goBack();
      carryOut(engine.restore(state, performance.now()));
      alarm.arm();
    },
    dispatch(event) {
      const atMs = performance.now();
      if (event.type === 'partial-arrived') lastMoveMs = atMs;
      handle({ ...event, atMs });
      alarm.arm();
    },
  };
}

/** Carries out one effect. */
function createApply(
  options: RunOptions,
  { engine, catchUp }: { readonly engine: Engine; readonly catchUp: CatchUp },
  onLease: () => void,
): (effect: EngineEffect) => void {
  const { plan, codecs, term, vectors, sessions, progress } = options;
  const { checksum } = vectors ?? plainVectors;
  const outboxOf = createOutboxes(plan);
  const channelOf = (worker: WorkerId): Channel | undefined => sessions().byId.get(worker)?.channel;
  const weightsFrame = (version: number, values: Float32Array): Frame =>
    encodePieces({ type: 'weights', version, values, codec: codecs.weights });
  const lease = (effect: Extract<EngineEffect, { type: 'lease' }>): void => {
    const { worker, round, leaves } = effect;
    const session = sessions().byId.get(worker);
    if (!session) return;
    const work = catchUp.expand(session, { round, leaves, weights: engine.weights() });
    // The engine has published those of the lease itself.
    const hasReplays = work.length > 1;
    const parcels = work.map((each) => {
      const { version } = each.round;
      const frames = (): Frame[] => [
        ...(hasReplays ? [weightsFrame(version, each.weights)] : []),
        encodePieces(leaseOf(each, term, codecs.gradients)),
      ];
      return { version, frames };
    });
    outboxOf(session.channel).send(parcels);
  };

  return (effect) => {
    switch (effect.type) {
      case 'prepare':
        channelOf(effect.worker)?.send(encodePieces({ type: 'prepare', shards: effect.shards }));
        return;
      case 'publish': {
        // Encoded once for all: the frame is the same for every worker. As float32 the vector is part of it, and never changes.
        const frame = weightsFrame(effect.version, effect.weights);
        const parcel = { version: effect.version, frames: () => [frame] };
        for (const worker of effect.workers) {
          const channel = channelOf(worker);
          if (channel) outboxOf(channel).send([parcel]);
        }
        return;
      }
      case 'lease':
        onLease();
        return lease(effect);
      case 'commit':
        // No later step is committed before this one is noted.
        return progress.step(effect.record, checksum(engine.weights()));
      case 'epoch-done':
        return progress.epoch(effect);
      default:
        return applyRare(effect, options);
    }
  };
}

function isRecord({ type }: EngineEffect): boolean {
  return type === 'commit' || type === 'epoch-done' || type === 'evaluated';
}

function isSent({ type }: EngineEffect): boolean {
  return type === 'prepare' || type === 'publish' || type === 'lease';
}

type RareEffect = Extract<
  EngineEffect,
  { type: 'evaluated' | 'expel' | 'release' | 'incident' | 'roll-back' | 'end' }
>;

/** What does not happen in every step. */
function applyRare(given: RareEffect, options: RunOptions): void {
  const effect = given.type === 'end' ? options.explainEnd(given) : given;
  const { sessions, progress, onEvent, onRollBack, onEnd, onIncident } = options;
  for (const facts of incidentsOf(effect)) onIncident(facts);
  switch (effect.type) {
    case 'evaluated':
      return progress.evaluation(effect.record, effect.contributions);
    case 'expel':
      return sessions().expel(effect.worker, expelCodes[effect.code], effect.message);
    case 'release':
      return sessions().release(effect.worker, 'drained by an operator');
    case 'incident':
      return onEvent({ type: 'problem', message: effect.incident.message });
    case 'roll-back':
      return onRollBack(effect);
    case 'end':
      return onEnd(effect);
    default:
      effect satisfies never;
  }
}
