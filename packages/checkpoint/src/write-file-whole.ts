import { createHash, randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { GradwireError, toError } from '@gradwire/errors';
import { disk, type FileSystem, type OpenFile } from './file-system.ts';

/**
 * Writes a file whole or not at all: afterwards `path` holds either all of `content` or what it held before.
 *
 * The bytes go to a temporary file in the same directory, are synced, read back and compared by SHA-256; then the file
 * is renamed over `path` and the directory is synced. Only then the promise resolves. Any array view is written by its
 * bytes; a string as UTF-8.
 *
 * Throws `GradwireError` FILE_WRITE_FAILED. If only the last sync failed, `path` may already hold the new content.
 *
 * @example
 * await writeFileWhole('summary.json', JSON.stringify(summary));
 */
export function writeFileWhole(path: string, content: ArrayBufferView | string): Promise<void> {
  return writeWhole(disk, path, content);
}

/** {@link writeFileWhole} on a given disk. */
export async function writeWhole(
  files: FileSystem,
  path: string,
  content: ArrayBufferView | string,
): Promise<void> {
  const bytes = toBytes(content);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeNew(files, temporary, bytes);
    await checkWritten(files, temporary, bytes);
    await files.rename(temporary, path);
    await syncDirectory(files, dirname(path));
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

async function writeNew(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  await withFile(await files.open(path, 'wx'), async (file) => {
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

async function checkWritten(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const found = createHash('sha256');
  let size = 0;
  await withFile(await files.open(path, 'r'), async (file) => {
    const block = new Uint8Array(1 << 18);
    for (;;) {
      const { bytesRead } = await file.read(block, 0, block.length);
      if (bytesRead === 0) return;
      found.update(block.subarray(0, bytesRead));
      size += bytesRead;
    }
  });
  const expected = createHash('sha256').update(bytes).digest('hex');
  if (size !== bytes.length) throw new Error(`read back ${size} bytes, expected ${bytes.length}`);
  if (found.digest('hex') !== expected) throw new Error('the bytes read back differ from those written');
}

/** Makes a rename last through a power cut. Some systems cannot sync a directory; nothing is lost by asking. */
async function syncDirectory(files: FileSystem, path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await withFile(await files.open(path, 'r'), async (directory) => {
    try {
      await directory.sync();
    } catch (error) {
      if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  });
}

/** Closes the file whatever happens; a failed close counts, as some systems report a full disk there. */
async function withFile(file: OpenFile, use: (file: OpenFile) => Promise<void>): Promise<void> {
  try {
    await use(file);
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  await file.close();
}
