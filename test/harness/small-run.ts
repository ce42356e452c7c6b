import {
  type Coordinator,
  type CoordinatorEvent,
  type CoordinatorOptions,
  createCoordinator,
  type Splits,
} from '@gradwire/coordinator';
import { createRunDirectory, type RunDirectory } from '@gradwire/checkpoint';
import type { Dataset } from '@gradwire/data';
import { uniform } from '@gradwire/random';
import { type Recipe, recipeHash } from '@gradwire/recipes';
import { runWorker, type WorkerEvent, type WorkerOptions, type WorkerOutcome } from '@gradwire/worker';
import { createTemporaryFolder } from './temporary-folder.ts';

/** A linear model on pictures of 4 x 4: a run takes a moment. */
export const smallRecipe: Recipe = {
  name: 'small',
  description: 'A linear model on 4 x 4 pictures.',
  dataset: 'small',
  features: { type: 'normalise' },
  model: {
    name: 'linear',
    inputShape: [4, 4, 1],
    layers: [{ type: 'flatten' }, { type: 'dense', units: 3 }],
  },
  task: { type: 'multiclass', classes: 3 },
  optimizer: { type: 'adam' },
  schedule: { type: 'constant', learningRate: 0.01 },
  batchSize: 20,
  shards: 7,
  epochs: 2,
  seed: 3,
};

/** Pictures whose brightest third tells the class. */
export function smallData(trainCount = 203): Splits {
  return { train: split('train', trainCount), test: split('test', 45) };
}

function split(name: 'train' | 'test', count: number): Dataset {
  const labels = Uint8Array.from({ length: count }, (_, i) => (i * 7) % 3);
  const noise = uniform({ seed: count, stream: 'noise' }, count * 16);
  const features = Uint8Array.from(
    noise,
    (x, i) => x * 120 + ((i % 16) % 3 === labels[Math.floor(i / 16)] ? 120 : 0),
  );
  const shape = { sampleShape: [4, 4, 1], featureType: 'uint8', classNames: ['a', 'b', 'c'] } as const;
  return { name: 'small', split: name, count, features, labels, ...shape };
}

/** A coordinator in this process, listening on the loopback address. */
export interface SmallRun extends AsyncDisposable {
  readonly coordinator: Coordinator;
  /** Everything it has told. */
  readonly events: readonly CoordinatorEvent[];
  readonly data: Splits;
  readonly url: string;
  readonly directory: string;
  /** Resolves with the first event, past ones included, that `accepts` accepts; rejects if the run ends before. */
  event(accepts: (event: CoordinatorEvent) => boolean): Promise<CoordinatorEvent>;
  readonly folder: RunDirectory;
  /** Starts a worker in this process; it is asked to leave when the run is disposed. */
  work(options?: Partial<WorkerOptions>): SmallWorker;
}

/** A worker in this process. */
export interface SmallWorker {
  readonly outcome: Promise<WorkerOutcome>;
  readonly events: readonly WorkerEvent[];
}

/** How a small run is started, besides recipe and data. */
export interface SmallRunOptions {
  readonly verify?: number;
  /** Refuses workers of another numerics class. */
  readonly exact?: boolean;
  /** Where its run directory is made; default: a folder that is removed when the run is disposed. */
  readonly root?: string;
  /** The run that goes on. */
  readonly resume?: RunDirectory;
  readonly snapshotEvery?: number;
  /** Which events are kept; default: all. */
  readonly keeps?: (event: CoordinatorEvent) => boolean;
  /** Other bounds on connections than usual. */
  readonly limits?: CoordinatorOptions['limits'];
  /** Default: a free one. */
  readonly port?: number;
  /** Done when the address is taken, before the run has a directory. */
  readonly whileStarting?: () => Promise<void>;
}

export async function startSmallRun(
  recipe: Recipe = smallRecipe,
  data: Splits = smallData(),
  options: SmallRunOptions = {},
): Promise<SmallRun> {
  const { root, resume, keeps = () => true, limits = {}, port = 0, whileStarting, ...others } = options;
  const folder = await createTemporaryFolder();
  const events: CoordinatorEvent[] = [];
  const watchers = new Set<() => void>();
  const coordinator = await createCoordinator({
    recipe,
    recipeHash: await recipeHash(recipe),
    data,
    createDirectory: async () => {
      await whileStarting?.();
      return resume ?? createRunDirectory(root ?? folder.path, recipe.name);
    },
    resume: resume !== undefined,
    host: '127.0.0.1',
    port,
    limits,
    ...others,
    onEvent: (event) => {
      if (keeps(event)) events.push(event);
      for (const watcher of watchers) watcher();
    },
  });
  const url = `ws://127.0.0.1:${coordinator.port}`;
  const over = new AbortController();
  const outcomes: Promise<unknown>[] = [];
  return {
    coordinator,
    events,
    data,
    url,
    directory: coordinator.directory.path,
    folder: coordinator.directory,
    event: (accepts) => firstEvent({ coordinator, events, watchers }, accepts),
    work(options = {}) {
      const seen: WorkerEvent[] = [];
      const outcome = runWorker({
        url,
        token: coordinator.token,
        backend: 'wasm',
        threads: 1,
        software: 'test',
        cacheDirectory: `${folder.path}/cache-${outcomes.length}`,
        findLocal: async () => undefined,
        signal: over.signal,
        onEvent: (event) => seen.push(event),
        ...options,
      });
      outcomes.push(outcome.catch(() => undefined));
      return { outcome, events: seen };
    },
    async [Symbol.asyncDispose]() {
      over.abort('the test is over');
      coordinator.stop();
      await coordinator.done.catch(() => undefined);
      await Promise.all(outcomes);
      await coordinator.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

interface Watched {
  readonly coordinator: Coordinator;
  readonly events: readonly CoordinatorEvent[];
  readonly watchers: Set<() => void>;
}

function firstEvent(
  { coordinator, events, watchers }: Watched,
  accepts: (event: CoordinatorEvent) => boolean,
): Promise<CoordinatorEvent> {
  return new Promise((resolve, reject) => {
    // What has not come by then does not come any more.
    const end = (): void => reject(new Error('the run was over before that happened'));
    coordinator.done.then(end, end);
    const check = (): void => {
      const found = events.find(accepts);
      if (found === undefined) return;
      watchers.delete(check);
      resolve(found);
    };
    watchers.add(check);
    check();
  });
}
