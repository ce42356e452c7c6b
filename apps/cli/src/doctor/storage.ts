import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toError } from '@gradwire/errors';
import type { Check } from './check.ts';
import { gigabytes } from './machine.ts';

const neededBytes = 100e6;
const comfortableBytes = 1e9;

/** Whether files can be written in `folder` (which may not exist yet), and how much room there is. */
export async function checkStorage(name: string, folder: string): Promise<Check> {
  const place = await nearestExisting(folder);
  const where = place === folder ? folder : `${folder} (will be made)`;
  try {
    if (!(await stat(place)).isDirectory()) throw new Error(`${place} is no folder`);
    await access(place, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(place);
    const freeBytes = bavail * bsize;
    const found = { name, message: `${where}, ${gigabytes(freeBytes)} free`, details: { folder, freeBytes } };
    if (freeBytes >= comfortableBytes) return { ...found, status: 'ok' };
    const hint = 'A run writes a few megabytes; the native backend needs 1.2 GB in the cache directory.';
    return { ...found, status: freeBytes < neededBytes ? 'problem' : 'note', hint };
  } catch (error) {
    const message = `${where}: cannot be written to (${toError(error).message})`;
    return { name, status: 'problem', message, hint: 'Give another one with --run-dir or --cache-dir.' };
  }
}

async function nearestExisting(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    const exists = await stat(place).then(
      () => true,
      () => false,
    );
    if (exists || dirname(place) === place) return place;
  }
}
