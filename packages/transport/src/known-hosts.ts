import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Refusal } from './refuse-upgrade.ts';

/**
 * Finds fault with what a browser says about where it was led. A page of anybody may have its own name resolve to this
 * machine (DNS rebinding): then `Host` is a name that nobody here has given. A request with an `Origin` must come from a
 * page of this server, or of a known host.
 *
 * @param names further names of this machine, and hosts of pages that may ask.
 */
export function createHostCheck(
  names: readonly string[] = [],
): (headers: IncomingHttpHeaders) => Refusal | undefined {
  const known = new Set(
    ['localhost', hostname(), `${hostname()}.local`, ...names].map((name) => name.toLowerCase()),
  );
  return ({ host, origin }) => {
    const name = nameOf(`http://${host}`);
    if (name === undefined || !(isIP(name) !== 0 || known.has(name))) return refusals.host;
    if (origin === undefined) return undefined;
    const isOwn = URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
    return isOwn || known.has(nameOf(origin) ?? '') ? undefined : refusals.origin;
  };
}

/** The host of a URL in lower case, IPv6 without brackets. */
function nameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : undefined;
}

const refusals: Readonly<Record<'host' | 'origin', Refusal>> = {
  host: {
    status: 421,
    code: 'HOST_WRONG',
    message:
      'Nobody has given this name to the coordinator: use its IP address, or start it with --allow-host <name>.',
  },
  origin: {
    status: 403,
    code: 'ORIGIN_WRONG',
    message: 'Pages of that origin may not ask: start the coordinator with --allow-host <name>.',
  },
};
