import type { EnginePlan, WorkerId } from '@gradwire/engine';
import { messageLimits } from '@gradwire/protocol';
import { recipes } from '@gradwire/recipes';
import { codecsOf } from '../codecs.ts';
import type { CoordinatorEvent } from '../events.ts';
import { createProgress } from '../progress.ts';
import { createRun, type Run, type RunEnd } from '../run.ts';
import { createSessions, type Sessions } from '../sessions.ts';
import { openStorage, type RunStorage, type StorageOptions } from './open-storage.ts';
import { startOf } from './resume-point.ts';
import { createSnapshots, type Snapshots } from './snapshots.ts';

export const worker = 'a' as WorkerId;

export const plan: EnginePlan = {
  layout: { size: 3, parameters: [{ name: 'w', shape: [3], offset: 0, size: 3, role: 'kernel' }] },
  initialWeights: Float32Array.of(1, -2, 3),
  optimizer: { type: 'adam' },
  schedule: { type: 'constant', learningRate: 0.1 },
  shards: 2,
  stepsPerEpoch: 4,
  totalSteps: 8,
  classes: 2,
  stepSamples: () => [2, 3],
  evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [4] } },
};

/** A run at work. */
export interface World {
  readonly run: Run;
  readonly storage: RunStorage;
  readonly snapshots: Snapshots;
  readonly ends: RunEnd[];
  readonly events: CoordinatorEvent[];
  /** Answers so many leases of the one worker; with `error` added to each gradient. */
  go(rounds: number, error?: number): void;
}

const recipe = Object.values(recipes)[0]!;

/** What its files are opened with. */
export const stored: Pick<StorageOptions, 'recipe' | 'data' | 'claim'> = {
  recipe,
  data: { train: 'a', test: 'b' },
  claim: { recipeHash: '', host: '', port: 0, token: 'join-token' },
};

const ignore = (): void => undefined;

/** A run whose worker is this test: real files, a real engine, no connection. */
export async function createWorld(
  directory: string,
  { resume = false, files }: Partial<Pick<StorageOptions, 'resume' | 'files'>> = {},
): Promise<World> {
  const ends: RunEnd[] = [];
  const events: CoordinatorEvent[] = [];
  const onEvent = (event: CoordinatorEvent): void => void events.push(event);
  const onProblem = (error: Error): void => void events.push({ type: 'problem', message: error.message });
  const storage = await openStorage({ ...stored, directory, resume, onProblem, ...(files ? { files } : {}) });
  const { recorder, point } = storage;
  const run: Run = createRun({
    plan,
    codecs: codecsOf(recipe),
    term: storage.claim.term,
    from: point?.snapshot && startOf(point.snapshot),
    sessions: () => sessions,
    progress: createProgress({ plan, recorder, countWorkers: () => 1, onEvent }),
    onEvent,
    onRoundClosed: () => snapshots.roundClosed(),
    onRollBack: () => undefined,
    onIncident: storage.incidents.note,
    explainEnd: (end) => end,
    onEnd: (end) => ends.push(end),
  });
  const welcome = {
    run: '',
    runId: '',
    term: 1,
    recipe: '',
    recipeHash: '',
    manifests: stored.data,
    statistics: { mean: [], deviation: [] },
  };
  const limits = messageLimits({ role: 'worker', parameters: 3, classes: 2 });
  const hooks = { onEvent, onReceive: run.dispatch, onFailure: ignore, onDefect: ignore };
  const sessions: Sessions = createSessions({ welcome, limits, exact: false, ...hooks });
  const snapshots = createSnapshots({ name: 'x', storage, run, sessions, everySteps: 2, onEvent });
  run.dispatch({ type: 'worker-joined', worker });
  run.dispatch({ type: 'worker-ready', worker, numericsClass: 'n' });
  run.dispatch({ type: 'worker-prepared', worker, shards: [0, 1] });
  run.start();
  return {
    run,
    storage,
    snapshots,
    ends,
    events,
    go(rounds, error = 0) {
      for (let i = 0; i < rounds && ends.length === 0; i += 1) {
        const { round } = run.engine.status();
        if (!round) throw new Error('no round');
        const isStep = round.task === 'step';
        const gradient = run.engine.weights().map((w) => w * 0.3 + round.version + error);
        const partial = {
          round: round.index,
          lo: 0,
          hi: round.leafCount,
          samples: isStep ? 5 : 4,
          computeMs: 1,
          gradient: isStep ? gradient : new Float32Array(0),
          metrics: new Float64Array(isStep ? 2 : 6),
        };
        run.dispatch({ type: 'partial-arrived', worker, partial });
      }
    },
  };
}
