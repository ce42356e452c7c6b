import {
  type CatchUp,
  createCatchUp,
  type Engine,
  type EngineEffect,
  type EngineEvent,
  initialState,
  type RunState,
  type StepContributions,
  type Verification,
  type WorkerId,
} from '@gradwire/engine';
import type { World } from '../base/world.ts';
import type { Connection, ToCoordinator } from '../workers/connection.ts';
import type { SimulatedWorker } from '../workers/simulated-worker.ts';
import { Interrupted, type Interruption } from '../disk/simulated-disk.ts';
import type { SimulatedSnapshot } from '../disk/snapshot-text.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { scramble } from '../scenario/work.ts';
import { createArchive } from './archive.ts';
import type { CoordinatorParts } from './coordinator.ts';

/** An engine event before it is stamped with the time. */
export type Happening = EngineEvent extends infer E ? (E extends unknown ? Omit<E, 'atMs'> : never) : never;

/** A worker that is connected. */
export interface Member {
  readonly id: WorkerId;
  readonly connection: Connection;
  readonly worker: SimulatedWorker;
}

/** One process of the coordinator, from its start to its death: the engine, and around it as little as will do. */
export interface Life {
  readonly engine: Engine;
  readonly outcome: string | undefined;
  start(): void;
  receive(connection: Connection, worker: SimulatedWorker, message: ToCoordinator): void;
  part(connection: Connection): void;
  /** An operator wants the worker to go; false if it is not connected. */
  drain(worker: SimulatedWorker): boolean;
  die(): void;
}

/** What a process needs besides. */
export interface LifeParts extends CoordinatorParts {
  readonly onInterrupted: (how: Interruption) => void;
}

/** Which process of the run it is, and where it goes on. */
export interface LifeStart {
  readonly term: number;
  readonly from: RunState | undefined;
  /** What the journal says of the steps until there. */
  readonly contributed: readonly StepContributions[];
}

export function createLife(world: World, parts: LifeParts, { term, from, contributed }: LifeStart): Life {
  const { watch, makeEngine, onInterrupted } = parts;
  const { agenda, scenario } = world;
  const verify = createVerification(scenario, term);
  const engine = makeEngine(scenario.plan, { verify, contributed, ...(from ? { from } : {}) });
  const members = new Map<WorkerId, Member>();
  const catchUp = createCatchUp(scenario.plan);
  const perform = createPerformer({ world, members, term, catchUp, weights: engine.weights });
  let isAlive = true;
  const archive = createArchive(world, { ...parts, engine, isAlive: () => isAlive });

  const happen = (happening: Happening): void => {
    if (life.outcome !== undefined || !isAlive) return;
    const event: EngineEvent = Object.assign(happening, { atMs: agenda.nowMs });
    watch.event(event, members);
    goOn(engine.handle(event));
  };
  const wake = createAlarm(world, () => happen({ type: 'time-passed' }));

  const carryOut = (effects: readonly EngineEffect[]): void => {
    watch.effects(effects, { engine, members });
    performAll(effects, perform);
    const how = interruptionOf(() => archive.note(effects));
    if (how) return onInterrupted(how);
    for (const effect of effects) {
      if (effect.type === 'end') life.outcome = effect.outcome;
      if (effect.type === 'roll-back') archive.goBack(effect.step, restore);
    }
  };
  const restore = (snapshot: SimulatedSnapshot | undefined): void => {
    const state = snapshot?.state ?? initialState(scenario.plan);
    watch.restored(state);
    catchUp.goBack();
    goOn(engine.restore(state, agenda.nowMs));
  };
  const goOn = (effects: readonly EngineEffect[]): void => {
    carryOut(effects);
    if (isAlive) watch.state(engine, members);
    wake.set(engine.nextDeadlineMs());
  };

  const life: Life & { outcome: string | undefined } = {
    engine,
    outcome: undefined,
    start: () => goOn(engine.start(agenda.nowMs)),
    receive(connection, worker, message) {
      if (message.type === 'hello') {
        const newcomer = welcome(members, { connection, worker, term }, message.name);
        return happen({ type: 'worker-joined', worker: newcomer });
      }
      const id = memberAt(members, connection);
      if (id === undefined || (message.type === 'partial' && message.term !== term)) return;
      if (message.type === 'failed') members.delete(id);
      happen(toHappening(id, message));
      if (message.type === 'failed') connection.close('coordinator');
    },
    part(connection) {
      const id = memberAt(members, connection);
      if (id !== undefined && members.delete(id)) happen({ type: 'worker-left', worker: id });
    },
    drain({ connection }) {
      const id = connection && memberAt(members, connection);
      if (id !== undefined) happen({ type: 'operator-asked', request: 'drain', worker: id });
      return id !== undefined;
    },
    die() {
      isAlive = false;
      closeAll(members);
    },
  };
  return life;
}

/** How a piece of work with the disk was interrupted, if it was. */
function interruptionOf(work: () => void): Interruption | undefined {
  try {
    work();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof Interrupted)) throw thrown;
    return thrown.how;
  }
}

function closeAll(members: Map<WorkerId, Member>): void {
  const connections = [...members.values()].map((member) => member.connection);
  members.clear();
  for (const connection of connections) connection.close('coordinator');
}

/** Who is at the other end, unless it has another connection by now. */
function memberAt(members: ReadonlyMap<WorkerId, Member>, connection: Connection): WorkerId | undefined {
  const { id } = connection;
  return id !== undefined && members.get(id)?.connection === connection ? id : undefined;
}

/** Gives a worker its name. */
function welcome(
  members: Map<WorkerId, Member>,
  { term, ...member }: Pick<Member, 'connection' | 'worker'> & { readonly term: number },
  name: string,
): WorkerId {
  const id = freeName(name, members);
  member.connection.id = id;
  members.set(id, { id, ...member });
  member.connection.sendToWorker({ type: 'welcome', id, term });
  return id;
}

function createVerification({ verify, seed }: Scenario, term: number): Verification | undefined {
  if (verify === undefined) return undefined;
  return {
    share: verify,
    draw: (round, leaf) => scramble(seed + 31 * round + 7_919 * leaf + 104_729 * term) / 2 ** 32,
  };
}

interface PerformerParts {
  readonly world: World;
  readonly members: Map<WorkerId, Member>;
  readonly term: number;
  readonly catchUp: CatchUp;
  readonly weights: () => Float32Array;
}

/** A lease, and before it what the worker needs for it. */
function sendLease(
  connection: Connection,
  { round, leaves }: Extract<EngineEffect, { type: 'lease' }>,
  { world, term, catchUp, weights }: Omit<PerformerParts, 'members'>,
): void {
  const work = catchUp.expand(connection, { round, leaves, weights: weights() });
  if (work.length > 1) world.tally['catch-up']++;
  for (const { weights: values, ...lease } of work) {
    if (work.length > 1)
      connection.sendToWorker({ type: 'weights', version: lease.round.version, weights: values });
    connection.sendToWorker({ type: 'lease', term, ...lease });
  }
}

/** What an effect means for the connections. */
function createPerformer({ members, ...parts }: PerformerParts): (effect: EngineEffect) => void {
  const connectionOf = (id: WorkerId): Connection | undefined => members.get(id)?.connection;
  return (effect) => {
    switch (effect.type) {
      case 'prepare':
        return connectionOf(effect.worker)?.sendToWorker(effect);
      case 'publish':
        for (const id of effect.workers) {
          connectionOf(id)?.sendToWorker({
            type: 'weights',
            version: effect.version,
            weights: effect.weights,
          });
        }
        return;
      case 'lease': {
        const connection = connectionOf(effect.worker);
        if (connection) sendLease(connection, effect, parts);
        return;
      }
      case 'expel':
      case 'release': {
        const member = members.get(effect.worker);
        members.delete(effect.worker);
        if (!member) return;
        member.connection.isDismissed = true;
        return member.connection.close('coordinator');
      }
      default:
    }
  };
}

/** One timer, as the real coordinator has. */
function createAlarm(
  { agenda, standstill }: World,
  ring: () => void,
): { set(atMs: number | undefined): void } {
  let setTo: number | undefined;
  return {
    set(atMs) {
      if (atMs === setTo) return;
      setTo = atMs;
      if (atMs === undefined) return;
      const goOff = (): void => {
        if (setTo !== atMs) return;
        setTo = undefined;
        ring();
      };
      agenda.at(atMs, () => {
        if (!standstill.isNow) return goOff();
        // What waits in the sockets is heard first.
        standstill.whenOver(() => agenda.after(0, goOff));
      });
    },
  };
}

/** What is sent goes first, as in the real coordinator. */
function performAll(effects: readonly EngineEffect[], perform: (effect: EngineEffect) => void): void {
  for (const effect of effects) if (isSent(effect)) perform(effect);
  for (const effect of effects) if (!isSent(effect)) perform(effect);
}

function isSent({ type }: EngineEffect): boolean {
  return type === 'prepare' || type === 'publish' || type === 'lease';
}

function toHappening(worker: WorkerId, message: Exclude<ToCoordinator, { type: 'hello' }>): Happening {
  switch (message.type) {
    case 'ready':
      return { type: 'worker-ready', worker, numericsClass: 'simulated' };
    case 'prepared':
      return { type: 'worker-prepared', worker, shards: message.shards };
    case 'partial':
      return { type: 'partial-arrived', worker, partial: message.partial };
    case 'failed':
      return { type: 'worker-failed', worker, round: message.round, leaf: message.leaf, message: 'a fault' };
  }
}

/** Its own name, or if another connection still has it, the name with a number. */
function freeName(name: string, members: ReadonlyMap<WorkerId, Member>): WorkerId {
  let id = name as WorkerId;
  for (let number = 2; members.has(id); number++) id = `${name}-${number}` as WorkerId;
  return id;
}
