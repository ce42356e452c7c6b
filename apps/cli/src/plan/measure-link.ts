import { GradwireError } from '@gradwire/errors';
import { type CoordinatorClient, createCoordinatorClient } from '@gradwire/transport';
import type { Link } from './link.ts';

const attempts = 7;
const firstBytes = 65_536;
const mostBytes = 16 * 2 ** 20;
/** A transfer that takes this long says enough about the rate. */
const enoughMs = 500;

/**
 * Measures the link to a coordinator that is running: the round trip of small requests, and the rate of larger and
 * larger transfers in both directions. Throws CONNECTION_FAILED or TOKEN_WRONG.
 *
 * @param url For example `ws://10.0.0.5:8787`.
 */
export async function measureLink(url: string, token: string, signal: AbortSignal): Promise<Link> {
  const request = createRequest(createCoordinatorClient({ url, token, role: 'worker' }), signal);
  // The first one opens the connection that the others use.
  const roundTrips: number[] = [];
  for (let n = 0; n <= attempts; n += 1) roundTrips.push(await request({ down: 1, up: 0 }));
  const roundTripMs = Math.min(...roundTrips.slice(1));
  return {
    roundTripMs,
    downBitsPerSecond: await measureRate((down) => request({ down, up: 0 }), roundTripMs),
    upBitsPerSecond: await measureRate((up) => request({ down: 1, up }), roundTripMs),
  };
}

async function measureRate(
  transfer: (bytes: number) => Promise<number>,
  roundTripMs: number,
): Promise<number> {
  let rate = 0;
  for (let bytes = firstBytes; bytes <= mostBytes; bytes *= 4) {
    const ms = await transfer(bytes);
    rate = (8000 * bytes) / Math.max(ms - roundTripMs, 0.01);
    if (ms > enoughMs) break;
  }
  return rate;
}

interface Transfer {
  readonly down: number;
  readonly up: number;
}

/** Sends `up` bytes, receives `down` bytes, and says how long that took. */
function createRequest(
  client: CoordinatorClient,
  signal: AbortSignal,
): (transfer: Transfer) => Promise<number> {
  return async ({ down, up }) => {
    const startMs = performance.now();
    const path = `/link?bytes=${down}`;
    const { byteLength } = await client.request({ path, body: new Uint8Array(up), signal });
    if (byteLength === down) return performance.now() - startMs;
    throw new GradwireError('CONNECTION_FAILED', `${path}: expected ${down} bytes, found ${byteLength}`, {
      hint: 'Is it a coordinator of this version?',
    });
  };
}
