import { performance } from 'node:perf_hooks';
import type { EnginePlan, EngineStatus, WorkerStatus } from '@gradwire/engine';
import type { Recipe } from '@gradwire/recipes';
import { exactness } from './exactness.ts';
import type { Run } from './run.ts';
import type { Sessions } from './sessions.ts';
import type { Incident, IncidentLog } from './storage/incident-log.ts';
import { describeWaiting } from './waiting.ts';

/** What `GET /status` answers. Times are in milliseconds on a clock of the coordinator that stands at `nowMs`. */
export interface RunStatus extends EngineStatus {
  /** Name of the run. */
  readonly run: string;
  /** Name of the recipe. */
  readonly recipe: string;
  readonly nowMs: number;
  /** When something last moved: a lease, a contribution, a commit. */
  readonly lastMoveMs: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  readonly workers: readonly (WorkerStatus & {
    readonly backend: string | undefined;
    /** Address, or that it is the coordinator's own process. */
    readonly peer: string | undefined;
  })[];
  /** True, or why the weights depend on who computes. */
  readonly exact: true | string;
  /** How many there were, over all coordinators of the run, and the last one. */
  readonly incidents: { readonly count: number; readonly last?: Incident };
  /** What `--codec auto` chose and why; absent if it was not asked. */
  readonly codecChoice?: string;
  /** What the run waits for and why, as a sentence. */
  readonly waiting: string;
}

/** What the status is read from. */
export interface StatusSource {
  /** Name of the run. */
  readonly name: string;
  readonly recipe: Recipe;
  readonly plan: EnginePlan;
  readonly run: Run;
  readonly sessions: Sessions;
  readonly incidents: Pick<IncidentLog, 'count' | 'last'>;
  readonly codecChoice?: string | undefined;
}

/** Where the run stands now. */
export function readStatus(source: StatusSource): RunStatus {
  const { name, recipe, plan, run, sessions, incidents, codecChoice } = source;
  const nowMs = performance.now();
  const status = run.engine.status();
  const { totalSteps, stepsPerEpoch } = plan;
  return {
    run: name,
    recipe: recipe.name,
    nowMs,
    lastMoveMs: run.lastMoveMs,
    totalSteps,
    stepsPerEpoch,
    ...status,
    workers: status.workers.map((worker) => {
      const session = sessions.byId.get(worker.worker);
      return { ...worker, backend: session?.backend, peer: session?.channel.peer };
    }),
    exact: exactness(recipe, [...sessions.backends.keys()]),
    incidents: { count: incidents.count, ...(incidents.last ? { last: incidents.last } : {}) },
    ...(codecChoice === undefined ? {} : { codecChoice }),
    waiting: describeWaiting(status, nowMs),
  };
}
