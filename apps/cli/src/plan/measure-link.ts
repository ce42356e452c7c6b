import { GradwireError, toError } from '@gradwire/errors';
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
  const request = createRequest(`${url.replace(/^ws/, 'http').replace(/\/+$/, '')}/link`, token, signal);
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
  address: string,
  token: string,
  signal: AbortSignal,
): (transfer: Transfer) => Promise<number> {
  return async ({ down, up }) => {
    const startMs = performance.now();
    const response = await post(`${address}?bytes=${down}`, { token, signal, body: new Uint8Array(up) });
    const { byteLength } = await response.arrayBuffer();
    if (response.status === 401) {
      throw new GradwireError('TOKEN_WRONG', `${address}: the coordinator does not know this token`, {
        hint: 'Give the address with the token after #, as the coordinator prints it.',
      });
    }
    if (response.ok && byteLength === down) return performance.now() - startMs;
    throw new GradwireError(
      'CONNECTION_FAILED',
      `${address}: expected ${down} bytes, found ${byteLength} with status ${response.status}`,
      { hint: 'Is it a coordinator of this version?' },
    );
  };
}

async function post(
  address: string,
  { token, signal, body }: { token: string; signal: AbortSignal; body: Uint8Array<ArrayBuffer> },
): Promise<Response> {
  try {
    return await fetch(address, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body,
      signal,
    });
  } catch (cause) {
    throw new GradwireError('CONNECTION_FAILED', `${address}: ${toError(cause).message}`, {
      cause,
      hint: 'Is a coordinator running there? gradwire coordinator --host 0.0.0.0 waits for workers.',
    });
  }
}
