import { createHash } from 'node:crypto';
import { GradwireError, toError } from '@gradwire/errors';
import { disk, type FileSystem, type OpenFile } from './file-system.ts';
import type { FilePrefix } from './snapshot/snapshot.ts';
import { writeFileWhole } from './write-file-whole.ts';

/** What a file of JSON lines is opened with. */
export interface JsonLinesOptions {
  /** Told at once when it cannot be written. */
  readonly onFailure?: (error: GradwireError) => void;
  /** Default: the real disk. */
  readonly files?: FileSystem;
}

/** Appends values to a file, one JSON line each. */
export interface JsonLines {
  /**
   * Takes a value; it is written in the background, in order, together with those of the next tenth of a second. After a failed write further values are dropped:
   * `onFailure` is told at once, `flush` and `close` report it. Throws `TypeError` on a value that JSON cannot hold (NaN, infinities, `undefined`).
   */
  append(value: unknown): void;
  /** Size and sum of everything appended so far, whether it is on disk yet or not. */
  position(): FilePrefix;
  /** Resolves when everything appended so far is on disk. Rejects with FILE_WRITE_FAILED. */
  flush(): Promise<void>;
  /** Flushes and closes. Rejects with FILE_WRITE_FAILED. */
  close(): Promise<void>;
}

/**
 * Opens a new file of JSON lines (`metrics.jsonl`, `ledger.jsonl`). The caller closes it.
 *
 * The file never ends in a part of a line while the process lives: a write that fails half-way is cut off again.
 * Throws `GradwireError` FILE_WRITE_FAILED if the file exists already or cannot be made.
 *
 * @example
 * const metrics = await createJsonLines('runs/0001-mnist-cnn/metrics.jsonl');
 * metrics.append({ type: 'step', step: 1, loss: 2.3 });
 * await metrics.close();
 */
export async function createJsonLines(
  path: string,
  { onFailure, files = disk }: JsonLinesOptions = {},
): Promise<JsonLines> {
  try {
    return linesOf({ path, file: await files.open(path, 'wx'), content: new Uint8Array(), onFailure });
  } catch (error) {
    throw failed(path, error);
  }
}

/**
 * Replaces a file of JSON lines by its first lines, `content`, and opens it for more. A process that still has the old
 * file open writes to that one, and so to nowhere. Throws `GradwireError` FILE_WRITE_FAILED.
 */
export async function resumeJsonLines(
  path: string,
  content: Uint8Array,
  { onFailure, files = disk }: JsonLinesOptions = {},
): Promise<JsonLines> {
  try {
    await writeFileWhole(path, content, { files });
    return linesOf({ path, file: await files.open(path, 'r+'), content, onFailure });
  } catch (error) {
    throw failed(path, error);
  }
}

const gatherMs = 100;

interface Opened {
  readonly path: string;
  readonly file: OpenFile;
  /** What the file holds already. */
  readonly content: Uint8Array;
  readonly onFailure: JsonLinesOptions['onFailure'] | undefined;
}

function linesOf({ path, file, content, onFailure }: Opened): JsonLines {
  let waiting: Uint8Array[] = [];
  /** Written. */
  let size = content.length;
  let appended = size;
  const sum = createHash('sha256').update(content);
  let failure: GradwireError | undefined;
  let writing: Promise<void> | undefined;
  let writeNow: (() => void) | undefined;
  let closed = false;

  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0 && !failure) {
      const bytes = Buffer.concat(waiting);
      waiting = [];
      try {
        await writeAll(file, bytes, size);
        size += bytes.length;
      } catch (error) {
        failure = failed(path, error);
        onFailure?.(failure);
        await file.truncate(size).catch(() => undefined);
      }
    }
    waiting = [];
    writing = undefined;
  }

  /** Lines of many quick steps make one write. */
  function gather(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, gatherMs);
      writeNow = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function flush(): Promise<void> {
    writeNow?.();
    await writing;
    if (!failure) await file.datasync().catch((error: unknown) => (failure = failed(path, error)));
    if (failure) throw failure;
  }

  return {
    append(value) {
      if (closed) throw new TypeError(`append: ${path} is closed`);
      const line = Buffer.from(`${toLine(value)}\n`);
      waiting.push(line);
      sum.update(line);
      appended += line.length;
      writing ??= gather().then(writeWaiting);
    },
    position: () => ({ bytes: appended, sha256: sum.copy().digest('hex') }),
    flush,
    async close() {
      if (closed) return;
      closed = true;
      await flush().finally(() => file.close());
    },
  };
}

async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    if (bytesWritten === 0) throw new Error(`the disk took ${written} of ${bytes.length} bytes`);
    written += bytesWritten;
  }
}

function toLine(value: unknown): string {
  const line: string | undefined = JSON.stringify(value, (key, item: unknown) => {
    if (typeof item !== 'number' || Number.isFinite(item)) return item;
    // JSON.stringify would write null, and a reader could not tell why.
    throw new TypeError(`append: ${key || 'the value'} is ${item}, which JSON cannot hold`);
  });
  if (line === undefined) throw new TypeError(`append: JSON cannot hold ${String(value)}`);
  return line;
}

function failed(path: string, cause: unknown): GradwireError {
  if (cause instanceof GradwireError) return cause;
  return new GradwireError('FILE_WRITE_FAILED', `${path} was not written: ${toError(cause).message}`, {
    cause,
    hint: 'Check free space and permissions of that folder.',
  });
}
