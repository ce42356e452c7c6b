import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GradwireError } from '@gradwire/errors';
import type { RunDirectory } from './run-directory.ts';

/**
 * The run directory meant by a path: the directory itself or `runs/latest` (link or text file).
 * Throws `GradwireError` DATA_NOT_FOUND.
 */
export async function findRun(path: string): Promise<RunDirectory> {
  const found = (await isDirectory(path)) ? path : await fromTextFile(path);
  if (found === undefined || (await isDirectory(join(found, 'recipe.json'))) !== false) {
    throw new GradwireError(
      'DATA_NOT_FOUND',
      `No run at ${path}: expected a run directory with recipe.json`,
      {
        hint: 'Give the directory of a run, for example runs/latest.',
      },
    );
  }
  const real = await realpath(found);
  const name = basename(real);
  return { number: Number.parseInt(name, 10), name, path: real };
}

/** Where links are not allowed, `latest` is a text file with the run's name. */
async function fromTextFile(path: string): Promise<string | undefined> {
  if (basename(path) !== 'latest') return undefined;
  const name = (await readFile(path, 'utf8').catch(() => '')).trim();
  return /^\d{4,}-[a-z0-9-]+$/.test(name) ? join(dirname(path), name) : undefined;
}

/** Undefined if there is nothing. */
async function isDirectory(path: string): Promise<boolean | undefined> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return undefined;
  }
}
