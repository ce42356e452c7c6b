import { mkdir, readdir, readlink, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { GradwireError, toError } from '@gradwire/errors';
import { syncDirectory } from './sync-directory.ts';
import { writeFileWhole } from './write-file-whole.ts';

/** The place of a run's files. */
export interface RunDirectory {
  /** From 1. */
  readonly number: number;
  /** For example `0001-mnist-cnn`. */
  readonly name: string;
  /** `root` and `name`. */
  readonly path: string;
}

/**
 * Makes the directory of a new run, `root/0001-mnist-cnn`, and lets `root/latest` point to it.
 *
 * Numbers go up and are used once, also when several processes start at the same moment: an existing directory is
 * never reused. `latest` is a symbolic link, or a text file with the name where links are not allowed.
 *
 * Throws `GradwireError` FILE_WRITE_FAILED; `TypeError` if `recipeName` is not lower-case words joined by hyphens.
 *
 * @example
 * const run = await createRunDirectory('runs', 'mnist-cnn');
 * await writeFileWhole(join(run.path, 'recipe.json'), text);
 */
export async function createRunDirectory(root: string, recipeName: string): Promise<RunDirectory> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(recipeName)) {
    throw new TypeError(
      `recipeName must be lower-case words joined by hyphens, got ${JSON.stringify(recipeName)}`,
    );
  }
  try {
    await mkdir(root, { recursive: true });
    const run = await claimNumber(root, recipeName);
    await pointLatest(root, run.name);
    await syncDirectory(root);
    return run;
  } catch (cause) {
    throw new GradwireError('FILE_WRITE_FAILED', `No run directory in ${root}: ${toError(cause).message}`, {
      cause,
      hint: 'Give a folder that you can write to with --run-dir.',
    });
  }
}

/**
 * The bare number is a lock: whoever made `0007` may look whether some `0007-name` exists already, and if not, renames
 * the lock to it. Nobody makes a `0007-name` in another way, so a number has one owner.
 */
async function claimNumber(root: string, recipeName: string): Promise<RunDirectory> {
  for (let number = largest(await usedNumbers(root)) + 1; ; number++) {
    const digits = String(number).padStart(4, '0');
    const lock = join(root, digits);
    if (!(await makeDirectory(lock))) continue;
    const taken = (await usedNumbers(root)).filter((used) => used === number).length > 1;
    if (taken) {
      await rmdir(lock);
      continue;
    }
    const name = `${digits}-${recipeName}`;
    const path = join(root, name);
    await rename(lock, path);
    return { number, name, path };
  }
}

async function usedNumbers(root: string): Promise<number[]> {
  const names = await readdir(root);
  return names.flatMap((name) => /^(\d{4,15})(?:-|$)/.exec(name)?.[1] ?? []).map(Number);
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), 0);
}

async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function pointLatest(root: string, name: string): Promise<void> {
  const latest = join(root, 'latest');
  const temporary = join(root, `.latest.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await symlink(name, temporary);
    // Some network folders turn a link into something else without an error.
    if ((await readlink(temporary)) !== name) throw new Error('the link does not read back');
  } catch {
    await rm(temporary, { force: true });
    await writeFileWhole(latest, `${name}\n`);
    return;
  }
  await rename(temporary, latest).catch(async (error: unknown) => {
    await rm(temporary, { force: true });
    throw error;
  });
}
