import type { World } from '../base/world.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { type Connection, createConnection } from './connection.ts';
import { createSession } from './session.ts';
import { type SimulatedWorker, whenAwake } from './simulated-worker.ts';

/** Opens a connection, or tries again later, as long as the worker lives. */
export function connect(world: World, worker: SimulatedWorker, coordinator: Coordinator): void {
  const { agenda, draws } = world;
  if (!worker.isAlive || worker.connection) return;
  const retry = (): void => {
    const delayMs = draws.network.between(20, 400);
    agenda.after(delayMs, () => whenAwake(world, worker, () => connect(world, worker, coordinator)));
  };
  if (!coordinator.isUp() || worker.link.blockedUntilMs > agenda.nowMs) return retry();

  const session = createSession(world, worker, {
    send: (message) => connection.sendToCoordinator(message),
    isOpen: () => connection.isOpen.worker && worker.isAlive,
  });
  const connection: Connection = createConnection(world, worker.link, {
    coordinator: coordinator.endOf(() => connection, worker),
    worker: {
      receive: session.receive,
      closed: () => {
        worker.connection = undefined;
        if (connection.isDismissed) worker.isAlive = false;
        retry();
      },
    },
  });
  worker.connection = connection;
  worker.soundSinceMs = Math.max(worker.soundSinceMs, agenda.nowMs);
  worker.connections = worker.connections.filter(({ isOpen }) => isOpen.worker || isOpen.coordinator);
  worker.connections.push(connection);
  connection.sendToCoordinator({ type: 'hello', name: worker.name });
}
