import type { World } from '../base/world.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { connect } from './connect.ts';
import { createWorker, type SimulatedWorker, whenAwake } from './simulated-worker.ts';

/** All workers of a simulation. */
export interface Crew {
  alive(): readonly SimulatedWorker[];
  /** A new one comes, if there is room; false if not. */
  add(): boolean;
  /** It dies; mostly another one comes for it after a while. */
  remove(worker: SimulatedWorker): void;
  /** Nothing passes between it and the coordinator for a while. */
  block(worker: SimulatedWorker, forMs: number): void;
  /** Both ends give its connection up if nothing passes for too long. */
  watchSilence(worker: SimulatedWorker): void;
  /** The workers give their connections up if the coordinator stands still for too long. */
  watchCoordinator(): void;
  /** Nothing new goes wrong, what is cut off or stands still comes back in time, and there are as many as at the start. */
  mend(): void;
}

export function createCrew(world: World, coordinator: Coordinator): Crew {
  const { agenda, draws, scenario, standstill } = world;
  let workers: SimulatedWorker[] = [];
  let names = 0;
  const alive = (): SimulatedWorker[] => (workers = workers.filter(({ isAlive }) => isAlive));

  const add = (name = `w${names++}`, broken?: SimulatedWorker): boolean => {
    if (alive().length >= scenario.maxWorkers) return false;
    const worker = createWorker(world, name);
    // A machine that computes wrong does so after a restart too.
    if (broken?.lie)
      Object.assign(worker, { lie: broken.lie, hasLied: broken.hasLied, isHonest: broken.isHonest });
    workers.push(worker);
    connect(world, worker, coordinator);
    return true;
  };

  const watchSilence = (worker: SimulatedWorker): void => {
    const connections = [...worker.connections];
    const isSilent = (): boolean => Math.max(worker.link.blockedUntilMs, worker.pausedUntilMs) > agenda.nowMs;
    agenda.after(scenario.silenceMs, () => {
      if (!isSilent()) return;
      for (const connection of connections) {
        connection.lose('coordinator');
        // A worker that stands still does not look at its connection until it wakes.
        if (worker.pausedUntilMs <= agenda.nowMs) connection.lose('worker');
        else agenda.at(worker.pausedUntilMs, () => connection.lose('worker'));
      }
    });
  };

  const watchCoordinator = (): void => {
    const waiting = alive().map((worker) => ({ worker, connection: worker.connection }));
    agenda.after(scenario.silenceMs, () => {
      if (!standstill.isNow) return;
      for (const { worker, connection } of waiting) {
        whenAwake(world, worker, () => connection?.close('worker'));
      }
    });
  };

  /** Again and again: one that was told to go may still be on its way out. */
  const fill = (): void => {
    while (alive().length < scenario.workers) add();
    agenda.after(1_000, fill);
  };

  return {
    alive,
    add: () => add(),
    remove(worker) {
      worker.isAlive = false;
      // A machine that starts again has its old name.
      const name = draws.faults.chance(0.5) ? worker.name : undefined;
      if (draws.faults.chance(0.7)) {
        agenda.after(draws.faults.between(10, 2_000), () => add(name, name ? worker : undefined));
      }
    },
    block(worker, forMs) {
      worker.link.blockedUntilMs = Math.max(worker.link.blockedUntilMs, agenda.nowMs + forMs);
      watchSilence(worker);
    },
    watchSilence,
    watchCoordinator,
    mend() {
      for (const worker of alive()) {
        worker.link.latencyMs = scenario.latencyMs;
        worker.slowness = Math.min(worker.slowness, 2);
        worker.mischief.clear();
      }
      fill();
    },
  };
}
