import type { Engine, EngineEffect, EngineEvent, RunState, WorkerId } from '@gradwire/engine';
import type { World } from '../base/world.ts';
import type { Member } from '../coordinator/life.ts';
import { must } from './broken-promise.ts';
import { checkStatus } from './check-status.ts';
import { createHistory } from './history.ts';
import { createTruth } from './truth.ts';
import { noteEffect, noteEvent } from './notes.ts';
import type { Reference } from './reference.ts';

/** The coordinator's process as it is after an event. */
export interface Situation {
  readonly engine: Engine;
  readonly members: ReadonlyMap<WorkerId, Member>;
}

/** Sees everything that happens, hashes it, and throws a `BrokenPromise` at the first thing that must not be. */
export interface Watch {
  /** When a round was closed, or a process of the coordinator began. */
  readonly lastRoundMs: number;
  /** A process of the coordinator begins, with what it found on its disk. */
  recovered(state: RunState | undefined): void;
  /** The run goes back to a state before what was wrong. */
  restored(state: RunState): void;
  /** A snapshot is said to be safe. */
  acknowledged(state: RunState): void;
  /** Files are damaged: what was safe is not any more. */
  damaged(): void;
  /** The journal of a run that has ended. */
  journal(text: string): void;
  event(event: EngineEvent): void;
  /** What the engine wants done, before it is done. */
  effects(effects: readonly EngineEffect[], situation: Situation): void;
  /** After everything that one event led to. */
  state(engine: Engine, members: ReadonlyMap<WorkerId, Member>): void;
}

export function createWatch(world: World, reference: Reference): Watch {
  const truth = createTruth((partial) => world.lies.has(partial));
  const history = createHistory(world.scenario.plan, reference, truth.isPolluted);
  const { checkEvery = 1 } = world.scenario;
  /** Else all are honest. */
  const isVerified = world.scenario.verify !== undefined;
  let safeRounds = 0;
  /** Once a file has rotted nothing is safe: it may be the one that is being written or found. */
  let isDamaged = false;
  let events = 0;
  let isRoundOver = false;
  let lastRoundMs = 0;
  let leases: Extract<EngineEffect, { type: 'lease' }>[] = [];
  return {
    get lastRoundMs() {
      return lastRoundMs;
    },
    recovered(state) {
      const round = roundsIn(state);
      lastRoundMs = world.agenda.nowMs;
      must('durable', round >= safeRounds, () => {
        return `a snapshot after ${safeRounds} rounds was safe, and one after ${round} is found`;
      });
      safeRounds = isDamaged ? 0 : round;
      world.trace.note('recovered', round);
      truth.begin(state);
      history.begin(state);
    },
    restored(state) {
      world.trace.note('restored', roundsIn(state));
      safeRounds = isDamaged ? 0 : roundsIn(state);
      truth.restored(state);
      history.begin(state);
    },
    acknowledged(state) {
      world.trace.note('safe', roundsIn(state));
      safeRounds = isDamaged ? 0 : roundsIn(state);
    },
    damaged() {
      safeRounds = 0;
      isDamaged = true;
    },
    journal: (text) => history.checkJournal(text),
    event(event) {
      noteEvent(world.trace, event);
      if (isVerified) truth.heard(event);
      world.tell?.('event', event);
    },
    effects(effects, situation) {
      leases = [];
      if (isVerified) truth.saw(effects, whoStays(effects, situation));
      isRoundOver = effects.some(({ type }) => type === 'commit' || type === 'evaluated');
      if (isRoundOver) lastRoundMs = world.agenda.nowMs;
      for (const effect of effects) {
        noteEffect(world.trace, effect);
        world.tell?.('effect', effect);
        if (effect.type === 'lease') leases.push(effect);
        if (effect.type === 'expel') checkExpulsion(effect, situation);
        // What is after that step is removed.
        if (effect.type === 'roll-back') safeRounds = 0;
        history.take(effect, situation.engine);
      }
    },
    state(engine, members) {
      events++;
      if (events % checkEvery !== 0 && !isRoundOver) return;
      checkStatus(world.scenario.plan, engine.status(), { members, leases });
    },
  };
}

/** Of the members, those that are not put out by these effects. */
function whoStays(effects: readonly EngineEffect[], { members }: Situation): (worker: WorkerId) => boolean {
  const gone = new Set(effects.flatMap((effect) => (effect.type === 'expel' ? [effect.worker] : [])));
  return (worker) => members.has(worker) && !gone.has(worker);
}

/** Rounds closed before a state; indexes only grow, so more rounds have a higher one. */
function roundsIn(state: RunState | undefined): number {
  return (state?.lastRound?.index ?? -1) + 1;
}

function checkExpulsion(
  { worker, message }: Extract<EngineEffect, { type: 'expel' }>,
  { members }: Situation,
): void {
  const member = members.get(worker);
  must('honest stay', member !== undefined && !member.worker.isHonest, () => `${worker}: ${message}`);
}
