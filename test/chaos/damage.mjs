import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Flips one bit in the middle half of a file, on disk. */
export async function flipBit(path, random) {
  const bytes = await readFile(path);
  const at = Math.floor(bytes.length * (0.25 + 0.5 * random()));
  bytes[at] ^= 1 << Math.floor(8 * random());
  await writeFile(path, bytes);
}

/** The newest snapshot's weights in a run directory. */
export async function newestSnapshot(directory) {
  const folder = join(directory, 'snapshots');
  const names = (await readdir(folder)).filter((name) => /^step-\d+\.safetensors$/.test(name));
  return join(folder, names.toSorted().at(-1));
}

/** The chunks of data sets in a cache folder. */
export async function cachedChunks(folder) {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && /^[0-9a-f]{64}$/.test(file.name))
    .map((file) => join(file.parentPath, file.name));
}
