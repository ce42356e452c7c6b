import { createHash } from 'node:crypto';
import { type ChunkCache } from '@gradwire/data/node';
import { GradwireError } from '@gradwire/errors';

/** Fetches content-addressed blobs (manifests, chunks). */
export interface BlobFetcher {
  /** The bytes whose SHA-256 is `sha256`, from the disk cache or the coordinator. Throws CONNECTION_FAILED, DATA_CORRUPT. */
  fetch(sha256: string): Promise<Uint8Array>;
}

/** Where blobs come from. */
export interface BlobFetcherOptions {
  /** The coordinator, for example `http://10.0.0.5:8787`. */
  readonly baseUrl: string;
  readonly token: string;
  readonly cache: ChunkCache;
  readonly signal: AbortSignal;
}

/** The coordinator's blobs behind this machine's disk cache. */
export function createBlobFetcher({ baseUrl, token, cache, signal }: BlobFetcherOptions): BlobFetcher {
  const download = async (sha256: string): Promise<Uint8Array> => {
    const url = `${baseUrl}/data/${sha256}`;
    const response = await request(url, token, signal);
    if (!response.ok) {
      throw new GradwireError(
        'CONNECTION_FAILED',
        `${url} answered ${response.status}: ${(await response.text()).trim()}`,
        {
          hint: 'Check that the coordinator at this address is the one that this worker joined.',
        },
      );
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== sha256) {
      throw new GradwireError(
        'DATA_CORRUPT',
        `${url}: expected SHA-256 ${sha256}, found ${found} (${bytes.length} bytes)`,
        {
          hint: 'Something between the two machines changes data; try again, or use another network path.',
        },
      );
    }
    return bytes;
  };
  return {
    async fetch(sha256) {
      const cached = await cache.read(sha256);
      if (cached !== undefined) return cached;
      const bytes = await download(sha256);
      await cache.write(sha256, bytes);
      return bytes;
    },
  };
}

async function request(url: string, token: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal });
  } catch (cause) {
    throw new GradwireError('CONNECTION_FAILED', `${url} could not be fetched`, {
      cause,
      hint: 'Check the network between this machine and the coordinator.',
    });
  }
}
