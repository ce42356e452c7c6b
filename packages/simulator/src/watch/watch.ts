import type { Engine, EngineEffect, EngineEvent, EngineStatus, RunState, WorkerId } from '@gradwire/engine';
import type { World } from '../base/world.ts';
import type { Member } from '../coordinator/life.ts';
import { must } from './broken-promise.ts';
import { checkHelp, checkOwnDelay } from './check-help.ts';
import { checkStatus } from './check-status.ts';
import { createDrained } from './drained.ts';
import { createHistory } from './history.ts';
import { createTruth } from './truth.ts';
import { noteEffect, noteEvent } from './notes.ts';
import type { Reference } from './reference.ts';

/** Who is told of a deadline later than this after it did not run when it passed. */
const excusedMs = 250;

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
  event(event: EngineEvent, members: Situation['members']): void;
  /** What the engine wants done, before it is done. */
  effects(effects: readonly EngineEffect[], situation: Situation): void;
  /** After everything that one event led to. */
  state(engine: Engine, members: ReadonlyMap<WorkerId, Member>): void;
}

export function createWatch(world: World, reference: Reference): Watch {
  const truth = createTruth((partial) => world.lies.has(partial));
  const drained = createDrained();
  const history = createHistory(world.scenario.plan, reference, truth);
  /** Else all are honest. */
  const isVerified = world.scenario.verify !== undefined;
  const safety = createSafety();
  const statuses = createStatusWatch(world, drained);
  let isRoundOver = false;
  let leases: Extract<EngineEffect, { type: 'lease' }>[] = [];
  const watch: Watch & { lastRoundMs: number } = {
    lastRoundMs: 0,
    recovered(state) {
      const round = roundsIn(state);
      watch.lastRoundMs = world.agenda.nowMs;
      safety.found(round);
      world.trace.note('recovered', round);
      statuses.forget();
      drained.begin();
      truth.begin(state);
      history.begin(state);
    },
    restored(state) {
      world.trace.note('restored', roundsIn(state));
      statuses.forget();
      safety.note(roundsIn(state));
      truth.restored(state);
      history.begin(state);
    },
    acknowledged(state) {
      world.trace.note('safe', roundsIn(state));
      safety.note(roundsIn(state));
    },
    damaged: safety.damaged,
    journal: (text) => history.checkJournal(text),
    event(event, members) {
      noteEvent(world.trace, event);
      drained.heard(event, (worker) => members.has(worker));
      if (isVerified) truth.heard(event);
      world.tell?.('event', event);
    },
    effects(effects, situation) {
      leases = [];
      const before = statuses.last();
      drained.saw(effects, before);
      if (isVerified) {
        const isThere = whoStays(effects, situation);
        truth.saw(effects, { isThere, free: before ? whoIsFree(before).filter(isThere) : [] });
      }
      isRoundOver = effects.some(({ type }) => type === 'commit' || type === 'evaluated');
      if (isRoundOver) watch.lastRoundMs = world.agenda.nowMs;
      for (const effect of effects) {
        noteEffect(world.trace, effect);
        world.tell?.('effect', effect);
        if (effect.type === 'lease') leases.push(effect);
        if (effect.type === 'expel') checkExpulsion(effect, situation);
        // What is after that step is removed.
        if (effect.type === 'roll-back') safety.note(0);
        history.take(effect, situation.engine);
      }
    },
    state(engine, members) {
      statuses.check(engine, { members, leases, isRoundOver });
    },
  };
  return watch;
}

/** What has happened when the engine is asked how it stands. */
interface Occasion {
  readonly members: Situation['members'];
  readonly leases: readonly Extract<EngineEffect, { type: 'lease' }>[];
  readonly isRoundOver: boolean;
}

/** Checks what the engine says of itself after an event, by itself and beside what it said before. */
function createStatusWatch(
  { agenda, scenario, standstill }: World,
  drained: ReturnType<typeof createDrained>,
): { last(): EngineStatus | undefined; forget(): void; check(engine: Engine, occasion: Occasion): void } {
  const { plan, checkEvery = 1 } = scenario;
  let events = 0;
  let before: EngineStatus | undefined;
  let dueMs = Infinity;
  return {
    last: () => before,
    forget() {
      before = undefined;
    },
    check(engine, { members, leases, isRoundOver }) {
      events++;
      const last = before;
      // What is not looked at leaves nothing to compare the next event with.
      before = undefined;
      if (events % checkEvery !== 0 && !isRoundOver) return;
      const { nowMs } = agenda;
      const after = engine.status();
      checkStatus(plan, after, { members, isDrained: drained.has, leases });
      drained.check(after);
      if (last) {
        const moment = { before: last, after, nowMs, leases };
        if (standstill.isCatchingUp || nowMs > dueMs + excusedMs) checkOwnDelay(moment);
        if (plan.maxStaleness === undefined) checkHelp(moment);
      }
      before = after;
      dueMs = engine.nextDeadlineMs() ?? Infinity;
    },
  };
}

/** How many rounds must be found on the disk again. */
function createSafety(): { found(rounds: number): void; note(rounds: number): void; damaged(): void } {
  let safe = 0;
  /** Once a file has rotted nothing is safe: it may be the one that is being written or found. */
  let isDamaged = false;
  const note = (rounds: number): void => {
    safe = isDamaged ? 0 : rounds;
  };
  return {
    note,
    found(rounds) {
      must('durable', rounds >= safe, () => {
        return `a snapshot after ${safe} rounds was safe, and one after ${rounds} is found`;
      });
      note(rounds);
    },
    damaged() {
      isDamaged = true;
      note(0);
    },
  };
}

function isDismissal(effect: EngineEffect): effect is Extract<EngineEffect, { type: 'expel' | 'release' }> {
  return effect.type === 'expel' || effect.type === 'release';
}

/** Of the members, those that are not put out or let go by these effects. */
function whoStays(effects: readonly EngineEffect[], { members }: Situation): (worker: WorkerId) => boolean {
  const gone = new Set(effects.flatMap((effect) => (isDismissal(effect) ? [effect.worker] : [])));
  return (worker) => members.has(worker) && !gone.has(worker);
}

/** Who takes leases, and is not late with any. */
function whoIsFree({ workers }: EngineStatus): WorkerId[] {
  return workers
    .filter(({ stage, isLate, isDraining }) => stage === 'ready' && !isLate && !isDraining)
    .map(({ worker }) => worker);
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
