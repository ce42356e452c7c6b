import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChunkCache } from '@gradwire/data/node';
import { GradwireError, toError } from '@gradwire/errors';
import { backoff, createCoordinatorClient, isSilence } from '@gradwire/transport';

/** Fetches content-addressed blobs (manifests, chunks). */
export interface BlobFetcher {
  /** Bytes fetched from the coordinator so far. */
  readonly fetchedBytes: number;
  /** The bytes whose SHA-256 is `sha256`, from the disk cache or the coordinator. Throws CONNECTION_FAILED, DATA_CORRUPT. */
  fetch(sha256: string): Promise<Uint8Array>;
}

/** A coordinator. */
export interface BlobSource {
  /** For example `ws://10.0.0.5:8787`. */
  readonly url: string;
  /** The join token, or `token,fingerprint`. */
  readonly token: string;
}

/** Where blobs come from. */
export interface BlobFetcherOptions {
  readonly source: BlobSource;
  readonly cache: ChunkCache;
  readonly signal: AbortSignal;
  /** A cache that cannot be written costs time, not the run. */
  readonly onCacheProblem: (message: string) => void;
  /** A coordinator that sends nothing for this long has gone; default 30,000. */
  readonly silenceMs?: number;
}

const attempts = 5;
// As long as a channel bears: then that has gone too.
const defaultSilenceMs = 30_000;

/** The coordinator's blobs behind this machine's disk cache. */
export function createBlobFetcher(options: BlobFetcherOptions): BlobFetcher {
  const { source, cache, signal, silenceMs = defaultSilenceMs, onCacheProblem } = options;
  const client = createCoordinatorClient({ ...source, role: 'worker' });
  const ask: Ask = (path) => client.request({ path, signal, silenceMs });
  let fetchedBytes = 0;
  return {
    get fetchedBytes() {
      return fetchedBytes;
    },
    async fetch(sha256) {
      const cached = await cache.read(sha256);
      if (cached !== undefined) return cached;
      const bytes = await downloadPatiently(sha256, ask, signal);
      fetchedBytes += bytes.length;
      await cache.write(sha256, bytes).catch((error: unknown) => onCacheProblem(toError(error).message));
      return bytes;
    },
  };
}

type Ask = (path: string) => Promise<Uint8Array>;

async function downloadPatiently(sha256: string, ask: Ask, signal: AbortSignal): Promise<Uint8Array> {
  const delays = backoff({ seed: process.pid });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await download(sha256, ask);
    } catch (error) {
      if (attempt === attempts || signal.aborted || !mayHelp(error)) throw error;
      await delay(delays.next(), undefined, { signal });
    }
  }
}

/**
 * Another attempt is no use if the coordinator is not the one that was meant; nor after a silence: the channel has ended
 * too, and only the session can make a new one.
 */
function mayHelp(error: unknown): boolean {
  return !isImpostor(error) && !isSilence(error);
}

function isImpostor(error: unknown): boolean {
  return error instanceof GradwireError && error.code === 'IDENTITY_WRONG';
}

async function download(sha256: string, ask: Ask): Promise<Uint8Array> {
  const bytes = await request(`/data/${sha256}`, ask);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === sha256) return bytes;
  throw new GradwireError(
    'DATA_CORRUPT',
    `chunk with SHA-256 ${sha256}: what came has ${found} (${bytes.length} bytes)`,
    { hint: 'Something between the two machines changes data; try again, or use another network path.' },
  );
}

async function request(path: string, ask: Ask): Promise<Uint8Array> {
  try {
    return await ask(path);
  } catch (cause) {
    if (isImpostor(cause)) throw cause;
    throw new GradwireError('CONNECTION_FAILED', `${path} could not be fetched: ${toError(cause).message}`, {
      cause,
      hint: 'Check the network between this machine and the coordinator.',
    });
  }
}
