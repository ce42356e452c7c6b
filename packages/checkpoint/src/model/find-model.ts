import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GradwireError, toError } from '@gradwire/errors';
import { modelFiles } from './model-files.ts';

/**
 * The directory of the model meant by a path: a model directory, one of its JSON files, a run directory, or
 * `runs/latest` (link or text file). Throws `GradwireError` DATA_NOT_FOUND.
 */
export async function findModel(path: string): Promise<string> {
  const start = await startingPoint(path);
  for (const directory of [start, join(start, 'model')]) {
    if ((await kindOf(join(directory, modelFiles.manifest))) === 'file') return directory;
  }
  throw notFound(path, `expected ${modelFiles.manifest} in it or in its folder model, found none`);
}

async function startingPoint(path: string): Promise<string> {
  const kind = await kindOf(path);
  if (kind === undefined) throw notFound(path, 'expected a run or model directory, found nothing');
  if (kind === 'directory') return path;
  const name = basename(path);
  if (name === modelFiles.manifest || name === modelFiles.topology) return dirname(path);
  // Where links are not allowed, `latest` is a text file with the run's name.
  const run = name === 'latest' ? await readName(path) : '';
  if (/^\d{4,}-[a-z0-9-]+$/.test(run)) return join(dirname(path), run);
  throw notFound(path, 'expected a run or model directory, found another file');
}

async function readName(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw notFound(path, `it cannot be read (${toError(cause).message})`, { cause });
  }
}

async function kindOf(path: string): Promise<'file' | 'directory' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw notFound(path, `it cannot be read (${toError(cause).message})`, { cause });
  }
}

function notFound(path: string, why: string, because: { readonly cause?: unknown } = {}): GradwireError {
  return new GradwireError('DATA_NOT_FOUND', `No model at ${path}: ${why}`, {
    ...because,
    hint: 'Give the directory of a finished run, for example runs/latest.',
  });
}
