import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GradwireError, toError } from '@gradwire/errors';
import type { DataEventListener } from './data-event.ts';
import { fetchPart } from './fetch-part.ts';
import { cancelled, writeFailure } from './file-failure.ts';
import { unpackedPieces } from './unpacked-file.ts';
import { writeWholeFile } from './whole-file.ts';

/** Options of {@link download}. */
export interface DownloadOptions {
  /** The SHA-256 that the file must have, unpacked: 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** The most bytes that a mirror may send, and that the file may have; without limit by default. */
  readonly maxBytes?: number;
  /** How often each address is tried; 3 by default. */
  readonly rounds?: number;
  /** The wait after every address has failed, doubled each time; 1000 by default. */
  readonly retryDelayMs?: number;
  /** How long a server may stay silent before the next is tried; 20,000 by default. */
  readonly stallTimeoutMs?: number;
  readonly onEvent?: DataEventListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Settings = Required<Omit<DownloadOptions, 'onEvent' | 'signal'>> & {
  readonly onEvent: DataEventListener;
  readonly signal: AbortSignal | undefined;
};

/**
 * Fetches a file from the first of several addresses that has it whole and right. If it arrives compressed with gzip
 * it is stored unpacked. `path` appears only when the sum is right; what has arrived before is kept in `path.part`,
 * and the next attempt, also in a later run, goes on there. One process at a time should download to a `path`:
 * two would disturb (never falsify) each other's `path.part`.
 *
 * @param urls - Mirrors of one file, tried in turn; redirects are followed.
 * @throws GradwireError `DOWNLOAD_FAILED` with the reason of each failure, `FILE_WRITE_FAILED` if the disk refuses,
 * `CANCELLED` if `signal` stopped it. `RangeError` if there are no addresses.
 *
 * @example
 * await download(['https://a.example/train.gz', 'https://b.example/train.gz'], 'cache/train', {
 *   sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
 *   onEvent: (event) => console.error(event),
 * });
 */
export async function download(
  urls: readonly string[],
  path: string,
  options: DownloadOptions,
): Promise<void> {
  if (urls.length === 0) throw new RangeError('urls must have at least one address, got none');
  const settings = withDefaults(options);
  const reasons: string[] = [];
  const attempts = settings.rounds * urls.length;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const url = urls[attempt % urls.length] as string;
    const reason = await tryOnce(url, path, settings);
    if (reason === undefined) return;
    reasons.push(`${url}: ${reason}`);
    const next = attempt + 1;
    if (next === attempts) break;
    // Another mirror is tried at once; only when all have failed is it worth waiting.
    const delayMs = next % urls.length === 0 ? settings.retryDelayMs * 2 ** (next / urls.length - 1) : 0;
    settings.onEvent({ type: 'retry', url, reason, nextUrl: urls[next % urls.length] as string, delayMs });
    await pause(delayMs, settings.signal);
  }
  throw new GradwireError(
    'DOWNLOAD_FAILED',
    `${path}: no address worked\n  ${[...new Set(reasons)].join('\n  ')}`,
    {
      hint: 'Check the network and run the command again (it goes on where it stopped), or put the file there by hand.',
    },
  );
}

function withDefaults(options: DownloadOptions): Settings {
  return {
    maxBytes: Number.POSITIVE_INFINITY,
    rounds: 3,
    retryDelayMs: 1000,
    stallTimeoutMs: 20_000,
    ...options,
    onEvent: options.onEvent ?? (() => undefined),
    signal: options.signal,
  };
}

/** Returns why it failed, or `undefined` if the file is in its place. Throws what no other attempt can mend. */
async function tryOnce(url: string, path: string, settings: Settings): Promise<string | undefined> {
  const part = `${path}.part`;
  try {
    settings.signal?.throwIfAborted();
    await makeFolder(part);
    await fetchPart(url, part, settings);
    await install(part, path, settings);
    settings.onEvent({ type: 'verified', path, sha256: settings.sha256 });
    return undefined;
  } catch (error) {
    if (settings.signal?.aborted) throw cancelled(error);
    if (error instanceof GradwireError && error.code !== 'DATA_CORRUPT') throw error;
    return describe(error);
  }
}

/** Puts the complete download into its place if its sum is right; else removes it, so that no attempt builds on it. */
async function install(part: string, path: string, { sha256, maxBytes, signal }: Settings): Promise<void> {
  try {
    const pieces = checkedPieces(unpackedPieces(part, { maxBytes, signal }), sha256);
    await writeWholeFile(path, pieces, { sync: false });
  } catch (error) {
    if (error instanceof GradwireError && error.code === 'DATA_CORRUPT') await rm(part, { force: true });
    throw error;
  }
  await rm(part, { force: true });
}

/** Passes the pieces on and throws at the end if their sum is wrong. */
async function* checkedPieces(pieces: AsyncIterable<Uint8Array>, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
  const found = hash.digest('hex');
  if (found !== sha256) throw new GradwireError('DATA_CORRUPT', `expected SHA-256 ${sha256}, found ${found}`);
}

async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(delayMs, undefined, { signal }).catch((cause: unknown) => {
    throw cancelled(cause);
  });
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw writeFailure(dirname(path), error);
  });
}

/** `fetch failed` says nothing without its cause. */
function describe(error: unknown): string {
  const { message, cause } = toError(error);
  return cause instanceof Error && !(error instanceof GradwireError)
    ? `${message} (${cause.message})`
    : message;
}
