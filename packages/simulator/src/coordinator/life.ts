import type { Engine, EngineEffect, EngineEvent, WorkerId } from '@gradwire/engine';
import type { World } from '../base/world.ts';
import type { Connection, ToCoordinator } from '../workers/connection.ts';
import type { SimulatedWorker } from '../workers/simulated-worker.ts';
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
  die(): void;
}

export function createLife(world: World, { watch, makeEngine }: CoordinatorParts, term: number): Life {
  const { agenda, scenario } = world;
  const engine = makeEngine(scenario.plan);
  const members = new Map<WorkerId, Member>();
  const perform = createPerformer(members, term);
  let outcome: string | undefined;

  const happen = (happening: Happening): void => {
    if (outcome !== undefined) return;
    const event = { ...happening, atMs: agenda.nowMs } as EngineEvent;
    watch.event(event);
    carryOut(engine.handle(event));
    watch.state(engine, members);
  };

  /** What is sent goes first, as in the real coordinator. */
  const carryOut = (effects: readonly EngineEffect[]): void => {
    watch.effects(effects, { engine, members });
    for (const effect of effects) if (isSent(effect)) perform(effect);
    for (const effect of effects) if (!isSent(effect)) perform(effect);
    for (const effect of effects) if (effect.type === 'end') outcome = effect.outcome;
  };

  return {
    engine,
    get outcome() {
      return outcome;
    },
    start() {
      watch.begin();
      carryOut(engine.start(agenda.nowMs));
      watch.state(engine, members);
    },
    receive(connection, worker, message) {
      if (message.type === 'hello') {
        const id = freeName(message.name, members);
        connection.id = id;
        members.set(id, { id, connection, worker });
        connection.sendToWorker({ type: 'welcome', id, term });
        return happen({ type: 'worker-joined', worker: id });
      }
      const { id } = connection;
      if (id === undefined || members.get(id)?.connection !== connection) return;
      if (message.type === 'partial' && message.term !== term) return;
      if (message.type === 'failed') members.delete(id);
      happen(toHappening(id, message));
      if (message.type === 'failed') connection.close('coordinator');
    },
    part(connection) {
      const { id } = connection;
      if (id === undefined || members.get(id)?.connection !== connection) return;
      members.delete(id);
      happen({ type: 'worker-left', worker: id });
    },
    die() {
      const connections = [...members.values()].map((member) => member.connection);
      members.clear();
      for (const connection of connections) connection.close('coordinator');
    },
  };
}

/** What an effect means for the connections. */
function createPerformer(members: Map<WorkerId, Member>, term: number): (effect: EngineEffect) => void {
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
      case 'lease':
        return connectionOf(effect.worker)?.sendToWorker({ ...effect, term });
      case 'expel': {
        const member = members.get(effect.worker);
        members.delete(effect.worker);
        if (!member) return;
        member.connection.isExpelled = true;
        return member.connection.close('coordinator');
      }
      default:
    }
  };
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
