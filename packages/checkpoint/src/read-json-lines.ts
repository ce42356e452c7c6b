import { GradwireError, toError } from '@gradwire/errors';
import { disk, type FileSystem } from './file-system.ts';
import { refusal } from './safetensors/refusal.ts';
import { sha256 } from './sha256.ts';
import type { FilePrefix } from './snapshot/snapshot.ts';

/** The first bytes of a file of JSON lines, and what they say. */
export interface LinesRead {
  readonly content: Uint8Array;
  readonly values: readonly unknown[];
}

/**
 * Reads the part of a file of JSON lines that a snapshot vouches for, compared with its sum; without `prefix`, nothing.
 *
 * What follows may end in a torn line, as after a crash. A damaged line before good ones has another cause: nothing that
 * is still good is thrown away without a word. Throws `GradwireError` FILE_CORRUPT.
 */
export async function readJsonLines(
  path: string,
  prefix?: FilePrefix,
  files: FileSystem = disk,
): Promise<LinesRead> {
  const refuse = refusal(path);
  const bytes = await readBytes(path, files);
  checkTail(bytes, prefix?.bytes ?? 0, path);
  if (prefix === undefined) return { content: new Uint8Array(), values: [] };
  if (bytes.length < prefix.bytes) refuse(`at least ${prefix.bytes} bytes`, `${bytes.length}`);
  const content = bytes.subarray(0, prefix.bytes);
  const sum = sha256(content);
  if (sum !== prefix.sha256) refuse(`${prefix.bytes} bytes with SHA-256 ${prefix.sha256}`, sum);
  const values = content.toString('utf8').split('\n').slice(0, -1);
  // Their sum is right, so they are what `JsonLines` has written.
  return { content, values: values.map((line) => JSON.parse(line) as unknown) };
}

function checkTail(bytes: Buffer, start: number, path: string): void {
  const lines = bytes.subarray(start).toString('utf8').split('\n');
  const isGood = lines.map((line) => line !== '' && isJson(line));
  const bad = isGood.indexOf(false);
  if (bad === -1 || !isGood.includes(true, bad)) return;
  const offset =
    start +
    Buffer.byteLength(
      lines
        .slice(0, bad)
        .map((line) => `${line}\n`)
        .join(''),
    );
  throw new GradwireError(
    'FILE_CORRUPT',
    `${path}: expected a line of JSON at byte ${offset}, found another text`,
    {
      hint: `Good lines follow it, so this is no torn end. Cut the file at byte ${offset} to do without them: those steps are computed again.`,
    },
  );
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

async function readBytes(path: string, files: FileSystem): Promise<Buffer> {
  try {
    return await files.readFile(path);
  } catch (cause) {
    // A crash before the first line.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw new GradwireError(
      'FILE_CORRUPT',
      `${path}: expected a readable file, found ${toError(cause).message}`,
      {
        cause,
      },
    );
  }
}
