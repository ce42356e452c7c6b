import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GradwireError } from '@gradwire/errors';
import { isSha256Hex, sha256Hex } from '../sha256.ts';
import { hasCode, readFailure } from './file-failure.ts';
import { writeWholeFile } from './whole-file.ts';

/** Chunks on disk, each in a file named by its hash. Several processes may share one folder. */
export interface ChunkCache {
  /**
   * The chunk with this SHA-256 (64 lower-case hexadecimal digits, else `TypeError`), or `undefined` if it is not
   * there. A damaged file is removed, after `onDamage` was told, and counts as not there.
   */
  read(sha256: string): Promise<Uint8Array | undefined>;
  /** Stores a chunk. Throws `GradwireError`: `DATA_CORRUPT` if the bytes have another hash, `FILE_WRITE_FAILED`. */
  write(sha256: string, bytes: Uint8Array): Promise<void>;
}

/**
 * Opens a folder of chunks; it is created with the first chunk.
 *
 * @example
 * const cache = createChunkCache(join(defaultCacheDirectory(), 'chunks'));
 * const bytes = (await cache.read(entry.sha256)) ?? (await fetchChunk(entry));
 */
export function createChunkCache(directory: string, onDamage?: (message: string) => void): ChunkCache {
  return {
    async read(sha256) {
      const path = chunkPath(directory, sha256);
      const bytes = await readIfPresent(path);
      if (bytes === undefined || (await sha256Hex(bytes)) === sha256) return bytes;
      onDamage?.(`${path} is damaged: what it holds has another SHA-256; it is removed`);
      await rm(path, { force: true });
      return undefined;
    },

    async write(sha256, bytes) {
      const path = chunkPath(directory, sha256);
      const found = await sha256Hex(bytes);
      if (found !== sha256) {
        throw new GradwireError('DATA_CORRUPT', `chunk: expected SHA-256 ${sha256}, found ${found}`, {
          hint: 'Fetch the chunk again.',
        });
      }
      // Not synced: a chunk that a power cut damages is found by its hash and fetched again.
      await writeWholeFile(path, [bytes], { sync: false });
    },
  };
}

/** `directory/ba/ba78...`: two levels keep folders small. The check keeps a peer's text from naming other files. */
function chunkPath(directory: string, sha256: string): string {
  if (!isSha256Hex(sha256)) {
    throw new TypeError(`sha256 must be 64 lower-case hexadecimal digits, got ${JSON.stringify(sha256)}`);
  }
  return join(directory, sha256.slice(0, 2), sha256);
}

async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw readFailure(path, error);
  }
}
