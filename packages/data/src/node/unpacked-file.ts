import { constants } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GradwireError } from '@gradwire/errors';
import { formatCount } from '../format-count.ts';
import { cancelled, hasCode, readFailure } from './file-failure.ts';

// Fewer, larger pieces than zlib's default of 16 kB: each costs a trip to the thread pool.
const gunzipChunkBytes = 1 << 20;

/** Options of reading a file that may be compressed. */
export interface ReadFileOptions {
  /** The most bytes that a compressed file may unpack to; by default what Node can hold in one buffer. */
  readonly maxBytes?: number | undefined;
  /** Stops the reading. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The content of a file, unpacked if it is compressed with gzip (told by its content, not by its name).
 *
 * @throws GradwireError `DATA_NOT_FOUND` if it cannot be read, `DATA_CORRUPT` if it is damaged or unpacks to more than
 * `maxBytes`, `CANCELLED` if `signal` stopped it.
 */
export async function readUnpacked(path: string, options: ReadFileOptions = {}): Promise<Uint8Array> {
  try {
    if (!(await isGzip(path))) return await readPlain(path, options.signal);
    const pieces: Uint8Array[] = [];
    for await (const piece of gunzipPieces(path, options)) pieces.push(piece);
    return Buffer.concat(pieces);
  } catch (error) {
    throw readFailure(path, error);
  }
}

const readBytes = 1 << 23;
// Above it, Node's own reading refuses with a reason.
const maxPlainBytes = 2 ** 31 - 1;

/** Into shared memory: threads need no copy. In large pieces: `readFile` makes a hundred of 50 MB. */
async function readPlain(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size === 0 || size > maxPlainBytes) return await readFile(path, { signal });
    const bytes = new Uint8Array(new SharedArrayBuffer(size));
    let end = 0;
    while (end < size) {
      if (signal?.aborted) throw cancelled(signal.reason);
      const { bytesRead } = await file.read(bytes, end, Math.min(readBytes, size - end), end);
      if (bytesRead === 0) break;
      end += bytesRead;
    }
    return bytes.subarray(0, end);
  } finally {
    await file.close();
  }
}

/** As {@link readUnpacked}, piece by piece. */
export async function* unpackedPieces(path: string, options: ReadFileOptions): AsyncGenerator<Uint8Array> {
  try {
    if (await isGzip(path)) yield* gunzipPieces(path, options);
    else yield* createReadStream(path, { signal: options.signal });
  } catch (error) {
    throw readFailure(path, error);
  }
}

/** Whether a file begins as every gzip file does. */
async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

async function* gunzipPieces(
  path: string,
  { maxBytes = constants.MAX_LENGTH, signal }: ReadFileOptions,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  try {
    const file = createReadStream(path, { signal });
    // A failure of either stream comes out of the iteration; there is nothing left to do in the callback.
    const unpacked = pipeline(file, createGunzip({ chunkSize: gunzipChunkBytes }), () => undefined);
    for await (const piece of unpacked as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > maxBytes)
        throw corruptGzip(path, `that unpacks to more than ${formatCount(maxBytes)} bytes`);
      yield piece;
    }
  } catch (cause) {
    const after = `after ${formatCount(length)} unpacked bytes`;
    if (hasCode(cause, 'Z_BUF_ERROR')) throw corruptGzip(path, `that ends too early, ${after}`, cause);
    if (hasCode(cause, 'Z_DATA_ERROR')) throw corruptGzip(path, `that is damaged, ${after}`, cause);
    throw cause;
  }
}

function corruptGzip(path: string, problem: string, cause?: unknown): GradwireError {
  return new GradwireError('DATA_CORRUPT', `${path}: expected a whole gzip file, found one ${problem}`, {
    cause,
    hint: 'Fetch or copy the file again.',
  });
}
