import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFailure } from './file-failure.ts';

/**
 * Writes a file so that a reader sees the old content or the new, never a part: a temporary file in the same folder
 * (created where missing), then renamed.
 *
 * @param pieces - The content, in one piece or as a stream.
 * @param options - `sync`: wait until the content is on the disk, for what cannot be fetched again.
 * @throws GradwireError `FILE_WRITE_FAILED`; whatever `pieces` throws is passed on. The temporary file is gone then.
 */
export async function writeWholeFile(
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { sync }: { sync: boolean },
): Promise<void> {
  // Unique, so that two processes that write the same file do not write into each other's.
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      for await (const piece of pieces) await file.writeFile(piece);
      if (sync) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeFailure(path, error);
  }
}
