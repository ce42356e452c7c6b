import type { LeasePlace, PartialSum, Round, WorkerId } from '@gradwire/engine';
import type { World } from '../base/world.ts';

/** What the coordinator says. `term` counts its lives. */
export type ToWorker =
  | { readonly type: 'welcome'; readonly id: WorkerId; readonly term: number }
  | { readonly type: 'prepare'; readonly shards: readonly number[] }
  | { readonly type: 'weights'; readonly version: number; readonly weights: Float32Array }
  | {
      readonly type: 'lease';
      readonly term: number;
      readonly round: Round;
      readonly leaves: readonly number[];
      readonly feedback?: LeasePlace;
    };

/** What a worker says. */
export type ToCoordinator =
  | { readonly type: 'hello'; readonly name: string }
  | { readonly type: 'ready' }
  | { readonly type: 'prepared'; readonly shards: readonly number[] }
  | { readonly type: 'partial'; readonly term: number; readonly partial: PartialSum }
  | { readonly type: 'failed'; readonly round: number; readonly leaf: number };

/** How the path between one worker and the coordinator behaves now. */
export interface Link {
  latencyMs: number;
  /** Nothing passes before. */
  blockedUntilMs: number;
}

/** One end of a connection: what to do with what comes over it. */
export interface End<Message> {
  receive(message: Message): void;
  /** This end is closed now, whoever wanted it. */
  closed(): void;
}

/** A connection in order, as TCP gives it: what is sent arrives once and in order, or the connection breaks. */
export interface Connection {
  /** The worker's name as the coordinator knows it, once it does. */
  id: WorkerId | undefined;
  /** The coordinator's last word was that the worker must not come back. */
  isDismissed: boolean;
  readonly isOpen: { worker: boolean; coordinator: boolean };
  sendToWorker(message: ToWorker): void;
  sendToCoordinator(message: ToCoordinator): void;
  /** Closes one end; the other hears of it. */
  close(side: Side): void;
  /** One end takes the connection for broken; the other does not know. */
  lose(side: Side): void;
}

type Side = 'worker' | 'coordinator';

/** Both ends, filled in when they are there. */
export interface Ends {
  readonly worker: End<ToWorker>;
  readonly coordinator: End<ToCoordinator>;
}

export function createConnection(world: World, link: Link, ends: Ends): Connection {
  const isOpen = { worker: true, coordinator: true };
  const toWorker = createPipe(world, link, () => isOpen.worker);
  const toCoordinator = createPipe(world, link, () => isOpen.coordinator);
  const hangUp = (side: Side): void => {
    if (!isOpen[side]) return;
    isOpen[side] = false;
    ends[side].closed();
  };
  return {
    id: undefined,
    isDismissed: false,
    isOpen,
    sendToWorker(message) {
      if (isOpen.coordinator) toWorker(() => ends.worker.receive(message));
    },
    sendToCoordinator(message) {
      if (isOpen.worker) toCoordinator(() => ends.coordinator.receive(message));
    },
    lose: hangUp,
    close(side) {
      if (!isOpen[side]) return;
      hangUp(side);
      if (side === 'worker') toCoordinator(() => hangUp('coordinator'));
      else toWorker(() => hangUp('worker'));
    },
  };
}

/** One direction: first in, first out, each with its own delay. */
function createPipe(world: World, link: Link, isOpen: () => boolean): (deliver: () => void) => void {
  const { agenda, delivered, draws, tally, scenario } = world;
  const queue: { readonly atMs: number; readonly number: number; readonly deliver: () => void }[] = [];

  const pump = (): void => {
    const first = queue[0];
    if (!first) return;
    if (link.blockedUntilMs > agenda.nowMs) return agenda.at(link.blockedUntilMs, pump);
    queue.shift();
    if (queue.length > 0) agenda.at(queue[0]!.atMs, pump);
    if (!isOpen()) return;
    if (first.number < delivered.latest) tally.reorder++;
    delivered.latest = Math.max(delivered.latest, first.number);
    first.deliver();
  };

  return (deliver) => {
    const jitterMs = draws.network.unit() * scenario.latencyMs;
    queue.push({ atMs: agenda.nowMs + link.latencyMs + jitterMs, number: delivered.sent++, deliver });
    if (queue.length === 1) agenda.at(queue[0]!.atMs, pump);
  };
}
