import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findRun, modelFiles, type RunDirectory } from '@gradwire/checkpoint';
import { GradwireError, toError } from '@gradwire/errors';
import { type Recipe, validateRecipe } from '@gradwire/recipes';
import { readClaim, type StoredClaim } from './stored-claim.ts';

/** An earlier run that can go on. */
export interface StoredRun {
  readonly directory: RunDirectory;
  /** With all overrides. */
  readonly recipe: Recipe;
  /** Absent if the run was killed before it was written, or removed. */
  readonly claim?: StoredClaim;
}

/**
 * Reads what is needed to resume the run at `path` (a run directory or `runs/latest`).
 * Throws DATA_NOT_FOUND, FILE_CORRUPT, or OPTION_INVALID for a run that has finished and whose model is there.
 */
export async function readStoredRun(path: string): Promise<StoredRun> {
  const directory = await findRun(path);
  const summary = await readJson(join(directory.path, 'summary.json'));
  // Where the disk was full the steps are done, and the model is not there yet.
  const isFinished = (summary as { outcome?: unknown } | undefined)?.outcome === 'finished';
  if (isFinished && (await readJson(join(directory.path, 'model', modelFiles.manifest)))) {
    throw new GradwireError('OPTION_INVALID', `${directory.path} has finished: there is nothing to resume`, {
      hint: 'Look at its report.html, or start another run.',
    });
  }
  const recipePath = join(directory.path, 'recipe.json');
  const recipe = validateRecipe(await readJson(recipePath), recipePath);
  const claim = await readClaim(directory.path);
  return { directory, recipe, ...(claim ? { claim } : {}) };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new GradwireError('FILE_CORRUPT', `${path}: expected JSON, found ${toError(cause).message}`, {
      cause,
    });
  }
}
