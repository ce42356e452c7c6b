import { createHash } from 'node:crypto';
import { type Dataset, manifestHash } from '@gradwire/data';
import { createChunkCache } from '@gradwire/data/node';
import type { WelcomeMessage } from '@gradwire/protocol';
import { type Recipe, validateRecipe } from '@gradwire/recipes';
import { type BlobFetcher, type BlobSource, createBlobFetcher } from './blob-fetcher.ts';
import { type ComputeRun, openComputeRun, sharedInitialWeights } from './compute/compute-run.ts';
import type { ThreadPool } from './compute/thread-pool.ts';
import type { WorkerEvent } from './events.ts';
import { createFetchingStore, createLocalStore, type SampleStore } from './sample-store.ts';

/** Everything that a worker sets up once for a run and keeps when the connection breaks. */
export interface Workbench {
  readonly key: string;
  readonly recipe: Recipe;
  readonly numericsClass: string;
  readonly stores: { readonly train: SampleStore; readonly test: SampleStore };
  readonly computeRun: ComputeRun;
  /** Bytes of data that had to be fetched so far. */
  readonly fetchedBytes: number;
}

/** Looks for a data set on this machine; undefined if it is not here. */
export type FindLocal = (
  dataset: string,
) => Promise<{ train: Dataset; test: Dataset; source: string } | undefined>;

/** What a workbench is made from. */
export interface WorkbenchOptions {
  readonly welcome: WelcomeMessage;
  /** For data that is not on this machine. */
  readonly source: BlobSource;
  readonly cacheDirectory: string;
  readonly findLocal: FindLocal;
  /** The threads load while the data is read. */
  readonly starting: Promise<ThreadPool>;
  readonly signal: AbortSignal;
  readonly onEvent: (event: WorkerEvent) => void;
}

/** Two welcomes with one key lead to the same workbench. */
export function workbenchKey({ recipe, manifests }: WelcomeMessage): string {
  return createHash('sha256').update([recipe, manifests.train, manifests.test].join('\n')).digest('hex');
}

/** Builds the model, names its numerics class and opens the data set. */
export async function createWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const { welcome, starting, onEvent } = options;
  const recipe = validateRecipe(JSON.parse(welcome.recipe));
  const onCacheProblem = (message: string): void => onEvent({ type: 'problem', message });
  const cache = createChunkCache(options.cacheDirectory, onCacheProblem);
  const blobs = createBlobFetcher({ ...options, cache, onCacheProblem });
  const stores = await openStores(recipe, blobs, options);
  const weights = sharedInitialWeights(recipe);
  const pool = await starting;
  const computeRun = await openComputeRun({ pool, recipe, statistics: welcome.statistics, stores, weights });
  const numericsClass = className(pool.backend, computeRun.probe);
  onEvent({ type: 'ready', backend: pool.backend.name, numericsClass });
  return {
    key: workbenchKey(welcome),
    recipe,
    numericsClass,
    stores,
    get fetchedBytes() {
      return blobs.fetchedBytes;
    },
    computeRun,
  };
}

/** Workers with one class give the same bits: the same kernels, and the same gradient of a probe. */
export function className({ name, kernelHash }: ThreadPool['backend'], probe: string): string {
  const digest = createHash('sha256').update(`${kernelHash}\n${probe}`).digest('hex');
  return `${name}-${digest.slice(0, 16)}`;
}

async function openStores(
  recipe: Recipe,
  blobs: BlobFetcher,
  { welcome, findLocal, onEvent }: WorkbenchOptions,
): Promise<Workbench['stores']> {
  const { manifests } = welcome;
  const local = await findLocal(recipe.dataset);
  const train = local && (await openLocal(local.train, manifests.train));
  const test = local && (await openLocal(local.test, manifests.test));
  if (train && test) {
    onEvent({ type: 'data-local', source: local.source });
    return { train, test };
  }
  return {
    train: await createFetchingStore(manifests.train, blobs),
    test: await createFetchingStore(manifests.test, blobs),
  };
}

/** A store over this machine's own data, if it is what the manifest of that sum describes. */
async function openLocal(dataset: Dataset, manifestSha256: string): Promise<SampleStore | undefined> {
  const found = await manifestHash(dataset);
  return found === manifestSha256 ? createLocalStore(dataset) : undefined;
}
