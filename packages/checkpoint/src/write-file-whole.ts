import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { GradwireError, toError } from '@gradwire/errors';
import { disk, type FileSystem, type OpenFile, withFile } from './file-system.ts';
import { syncDirectory } from './sync-directory.ts';

/** Options of {@link writeFileWhole}. */
export interface WriteOptions {
  /** Permissions of the file, for example 0o600 for a secret; default 0o666 less the process's mask. */
  readonly mode?: number;
  /** Default: the real disk. */
  readonly files?: FileSystem | undefined;
}

/**
 * Writes a file whole or not at all: afterwards `path` holds either all of `content` or what it held before.
 *
 * The bytes go to a temporary file in the same directory, are synced, read back and compared; then the file is renamed
 * over `path` and the directory is synced. Only then the promise resolves; until then `content` must not change. Any
 * array view is written by its bytes; a string as UTF-8.
 *
 * Throws `GradwireError` FILE_WRITE_FAILED. If only the last sync failed, `path` may already hold the new content.
 *
 * @example
 * await writeFileWhole('summary.json', JSON.stringify(summary));
 */
export async function writeFileWhole(
  path: string,
  content: ArrayBufferView | string,
  { mode, files = disk }: WriteOptions = {},
): Promise<void> {
  const bytes = toBytes(content);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeAll(await files.open(temporary, 'wx', mode), bytes);
    await checkWritten(files, temporary, bytes);
    await files.rename(temporary, path);
    await syncDirectory(dirname(path), files);
  } catch (cause) {
    // The first failure is the one to report; a temporary file that cannot be removed harms nobody.
    await files.remove(temporary).catch(() => undefined);
    throw new GradwireError('FILE_WRITE_FAILED', `${path} was not written: ${toError(cause).message}`, {
      cause,
      hint: 'Check free space, permissions and file size limits of that folder.',
    });
  }
}

/** The bytes of any view (a `Float32Array` is four bytes an element), or a text in UTF-8. */
function toBytes(content: ArrayBufferView | string): Uint8Array {
  if (typeof content === 'string') return new TextEncoder().encode(content);
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

async function writeAll(opened: OpenFile, bytes: Uint8Array): Promise<void> {
  await withFile(opened, async (file) => {
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await file.write(bytes, written, bytes.length - written);
      // A disk that takes nothing and reports no error would keep this loop busy for ever.
      if (bytesWritten === 0) throw new Error(`the disk took ${written} of ${bytes.length} bytes`);
      written += bytesWritten;
    }
    // Never retried: after a failed fsync the kernel may have dropped the pages and the next call reports success.
    await file.sync();
  });
}

/** Compares the bytes themselves: block by block, so that nobody else in the process waits for a sum over all of them. */
async function checkWritten(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  let size = 0;
  await withFile(await files.open(path, 'r'), async (file) => {
    const block = new Uint8Array(1 << 18);
    for (;;) {
      const { bytesRead } = await file.read(block, 0, block.length);
      if (bytesRead === 0) return;
      const found = block.subarray(0, bytesRead);
      if (Buffer.compare(found, bytes.subarray(size, size + bytesRead)) !== 0) {
        throw new Error('the bytes read back differ from those written');
      }
      size += bytesRead;
    }
  });
  if (size !== bytes.length) throw new Error(`read back ${size} bytes, expected ${bytes.length}`);
}
