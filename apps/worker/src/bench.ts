import type { BackendChoice } from '@gradwire/backend';
import type { Dataset } from '@gradwire/data';
import type { WelcomeMessage } from '@gradwire/protocol';
import type { Recipe } from '@gradwire/recipes';
import { type ComputeRun, openComputeRun, sharedInitialWeights } from './compute/compute-run.ts';
import { startThreadPool } from './compute/thread-pool.ts';
import { createLocalStore } from './sample-store.ts';
import { className } from './workbench.ts';

/** What is computed, and on what. */
export interface BenchOptions {
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly recipe: Recipe;
  readonly statistics: WelcomeMessage['statistics'];
  readonly data: { readonly train: Dataset; readonly test: Dataset };
}

/** A worker's compute threads without a coordinator. */
export interface Bench extends AsyncDisposable, Pick<ComputeRun, 'setWeights' | 'compute'> {
  readonly numericsClass: string;
}

/**
 * Starts compute threads that know a recipe and its data: leases go in, partials come out, with the bits of any worker of
 * the same numerics class.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` as `prepareBackend` does.
 */
export async function openBench({ backend, threads, data, ...run }: BenchOptions): Promise<Bench> {
  const pool = await startThreadPool(backend, threads);
  try {
    const stores = { train: createLocalStore(data.train), test: createLocalStore(data.test) };
    const weights = sharedInitialWeights(run.recipe);
    const { probe, setWeights, compute } = await openComputeRun({ ...run, pool, stores, weights });
    return {
      numericsClass: className(pool.backend, probe),
      setWeights,
      compute,
      [Symbol.asyncDispose]: pool.close,
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}
