import { join } from 'node:path';
import { GradwireError, toError } from '@gradwire/errors';
import { disk, type FileSystem } from '../file-system.ts';
import { syncDirectory } from '../sync-directory.ts';
import { writeFileWhole } from '../write-file-whole.ts';
import { decodeSnapshot, encodeSnapshot, type StoredSnapshot } from './encode-snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** The snapshots of one run, on disk. */
export interface SnapshotStore {
  /** The steps of all that are there, damaged ones included, newest first. */
  steps(): Promise<number[]>;
  /** Whole or not at all; one of the same step is replaced. Resolves to the bytes written. Rejects with FILE_WRITE_FAILED. */
  write(snapshot: Snapshot): Promise<number>;
  /** Rejects with FILE_CORRUPT. */
  read(step: number): Promise<StoredSnapshot>;
  /** Makes the names that are there, and no others, last through a power cut: a coordinator that was killed may not have. */
  settle(): Promise<void>;
  /** Renames a damaged one, so that it is neither read nor overwritten. Resolves to its new path. */
  setAside(step: number): Promise<string>;
  /** Removes all of which `keep` says no. Rejects with FILE_WRITE_FAILED. */
  prune(keep: (step: number) => boolean): Promise<void>;
  /** For messages. */
  pathOf(step: number): string;
}

/**
 * Opens the folder `snapshots` of a run directory; it is made with the first snapshot. `files`: default: the real disk.
 *
 * @example
 * const store = openSnapshots(run.path);
 * await store.write(snapshot);
 */
export function openSnapshots(runDirectory: string, files: FileSystem = disk): SnapshotStore {
  const folder = join(runDirectory, 'snapshots');
  const pathOf = (step: number): string => join(folder, `step-${String(step).padStart(8, '0')}.safetensors`);
  /** Undefined before the first snapshot. */
  const names = (): Promise<string[] | undefined> =>
    files.names(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
  const steps = async (): Promise<number[]> =>
    ((await names()) ?? [])
      .flatMap((name) => /^step-(\d{8,15})\.safetensors$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => b - a);
  return {
    steps,
    pathOf,
    async write(snapshot) {
      const bytes = await encodeSnapshot(snapshot);
      await ours(folder, async () => {
        if (await files.makeFolder(folder)) await syncDirectory(runDirectory, files);
      });
      await writeFileWhole(pathOf(snapshot.record.step), bytes, { files });
      return bytes.length;
    },
    read: async (step) => decodeSnapshot(await readBytes(files, pathOf(step)), pathOf(step)),
    async settle() {
      if (await names()) await ours(folder, () => syncDirectory(folder, files));
    },
    async setAside(step) {
      const aside = `${pathOf(step)}.damaged`;
      await ours(folder, async () => {
        await files.rename(pathOf(step), aside);
        await syncDirectory(folder, files);
      });
      return aside;
    },
    async prune(keep) {
      const surplus = (await steps()).filter((step) => !keep(step)).map(pathOf);
      // What a coordinator was writing when it was killed.
      const torn = ((await names()) ?? []).filter((name) => /^\.step-.*\.tmp$/.test(name));
      for (const path of [...surplus, ...torn.map((name) => join(folder, name))]) {
        await ours(path, () => files.remove(path));
      }
    },
  };
}

async function readBytes(files: FileSystem, path: string): Promise<Uint8Array> {
  try {
    return await files.readFile(path);
  } catch (cause) {
    const found = toError(cause).message;
    throw new GradwireError('FILE_CORRUPT', `${path}: expected a readable file, found ${found}`, { cause });
  }
}

async function ours<T>(path: string, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (cause) {
    throw new GradwireError('FILE_WRITE_FAILED', `${path} was not changed: ${toError(cause).message}`, {
      cause,
      hint: 'Check free space and permissions of that folder.',
    });
  }
}
