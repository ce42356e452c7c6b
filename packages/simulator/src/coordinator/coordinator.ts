import type { Engine, EngineOptions, EnginePlan } from '@gradwire/engine';
import type { World } from '../base/world.ts';
import { journalName, type Persistence } from '../disk/persistence.ts';
import { runProcedure } from '../disk/procedure.ts';
import type { Interruption } from '../disk/simulated-disk.ts';
import type { SimulatedSnapshot } from '../disk/snapshot-text.ts';
import type { Connection, End, ToCoordinator } from '../workers/connection.ts';
import type { SimulatedWorker } from '../workers/simulated-worker.ts';
import type { Watch } from '../watch/watch.ts';
import { readContributions } from './archive.ts';
import { createLife, type Life } from './life.ts';

/** Makes the engine of a run, from the state where it goes on: the real one, or one that is broken on purpose. */
export type EngineMaker = (plan: EnginePlan, options: EngineOptions) => Engine;

/** The coordinator's machine: one process after the other. */
export interface Coordinator {
  isUp(): boolean;
  /** The outcome that the engine reported, once it has. */
  outcome(): string | undefined;
  /** The engine of the process that runs now. */
  engine(): Engine | undefined;
  /** Starts a process, which reads its disk first; nothing if there is one. */
  start(): void;
  /**
   * The process dies at once, and every connection breaks; a power cut costs what was not synced besides. Another one
   * starts after a while. False if there was none.
   */
  crash(how: Interruption): boolean;
  /** The process stands still for a while, and nobody is told. False if there is none, or it does so already. */
  suspend(forMs: number): boolean;
  /** An operator drains a worker. False if it is not connected, or nobody answers the operator. */
  drain(worker: SimulatedWorker): boolean;
  /** Its end of a new connection. */
  endOf(connection: () => Connection, worker: SimulatedWorker): End<ToCoordinator>;
}

/** What a coordinator is made of. */
export interface CoordinatorParts {
  readonly watch: Watch;
  readonly makeEngine: EngineMaker;
  readonly persistence: Persistence;
}

export function createCoordinator(world: World, parts: CoordinatorParts): Coordinator {
  const { agenda, draws, disk, standstill, tally, trace } = world;
  let life: Life | undefined;
  let term = 0;
  /** The term of the process that exists now, if any: it reads its disk before it is up. */
  let running: number | undefined;

  const crash: Coordinator['crash'] = (how) => {
    if (running === undefined || life?.outcome !== undefined) return false;
    trace.note(how, term);
    tally[how === 'killed' ? 'crash' : 'power-cut']++;
    running = undefined;
    life?.die();
    life = undefined;
    standstill.end();
    if (how === 'power cut') disk.losePower();
    agenda.after(draws.faults.between(5, 200), start);
    return true;
  };
  const onInterrupted = (how: Interruption): void => void crash(how);

  const begin = (snapshot: SimulatedSnapshot | undefined): void => {
    parts.watch.recovered(snapshot?.state);
    const contributed = readContributions(disk.peek(journalName));
    life = createLife(world, { ...parts, onInterrupted }, { term, from: snapshot?.state, contributed });
    life.start();
  };
  const start = (): void => {
    if (running !== undefined) return;
    const own = ++term;
    running = own;
    trace.note('start', own);
    runProcedure(world, parts.persistence.recover(disk), {
      isAlive: () => running === own,
      onDone: begin,
      onInterrupted,
    });
  };

  return {
    isUp: () => life !== undefined,
    outcome: () => life?.outcome,
    engine: () => life?.engine,
    start,
    crash,
    drain: (worker) => !standstill.isNow && life?.drain(worker) === true,
    suspend(forMs) {
      if (life === undefined || life.outcome !== undefined || standstill.isNow) return false;
      trace.note('suspend', forMs);
      tally.suspend++;
      standstill.begin(forMs);
      return true;
    },
    endOf(connection, worker) {
      const served = life;
      return {
        receive(message) {
          standstill.whenOver(() => {
            if (served && served === life) served.receive(connection(), worker, message);
            else connection().close('coordinator');
          });
        },
        closed() {
          standstill.whenOver(() => {
            if (served && served === life) served.part(connection());
          });
        },
      };
    },
  };
}
