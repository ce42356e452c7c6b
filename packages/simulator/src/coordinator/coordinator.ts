import type { Engine, EnginePlan } from '@gradwire/engine';
import type { World } from '../base/world.ts';
import type { Connection, End, ToCoordinator } from '../workers/connection.ts';
import type { SimulatedWorker } from '../workers/simulated-worker.ts';
import type { Watch } from '../watch/watch.ts';
import { createLife, type Life } from './life.ts';

/** Makes the engine of a run: the real one, or one that is broken on purpose. */
export type EngineMaker = (plan: EnginePlan) => Engine;

/** The coordinator's machine: one process after the other. */
export interface Coordinator {
  isUp(): boolean;
  /** The outcome that the engine reported, once it has. */
  readonly outcome: string | undefined;
  /** The engine of the process that runs now. */
  readonly engine: Engine | undefined;
  start(): void;
  /** The process dies at once: what was not on disk is gone, and every connection breaks. */
  crash(): void;
  /** Its end of a new connection. */
  endOf(connection: () => Connection, worker: SimulatedWorker): End<ToCoordinator>;
}

/** What a coordinator is made of. */
export interface CoordinatorParts {
  readonly watch: Watch;
  readonly makeEngine: EngineMaker;
}

export function createCoordinator(world: World, parts: CoordinatorParts): Coordinator {
  let life: Life | undefined;
  let term = 0;
  return {
    isUp: () => life !== undefined,
    get outcome() {
      return life?.outcome;
    },
    get engine() {
      return life?.engine;
    },
    start() {
      if (life) return;
      term++;
      world.trace.note('start', term);
      life = createLife(world, parts, term);
      life.start();
    },
    crash() {
      if (!life || life.outcome !== undefined) return;
      world.trace.note('crash', term);
      life.die();
      life = undefined;
    },
    endOf(connection, worker) {
      const served = life;
      return {
        receive(message) {
          if (served && served === life) served.receive(connection(), worker, message);
          else connection().close('coordinator');
        },
        closed() {
          if (served && served === life) served.part(connection());
        },
      };
    },
  };
}
