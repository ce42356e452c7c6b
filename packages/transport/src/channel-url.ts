import { GradwireError } from '@gradwire/errors';

/** Where to connect, taken apart. */
export interface ChannelAddress {
  /** Without the token: fit for messages and logs. */
  readonly url: string;
  /** Host and, if it is not the scheme's, port: as in the URL. */
  readonly authority: string;
  readonly host: string;
  /** The scheme's default if the URL has none. */
  readonly port: number;
  readonly isSecure: boolean;
  readonly path: string;
  /** The part after `#`: the token, or token and fingerprint. */
  readonly secret: string | undefined;
}

const schemes: Readonly<Record<string, 'ws' | 'wss'>> = {
  'ws:': 'ws',
  'wss:': 'wss',
  'http:': 'ws',
  'https:': 'wss',
};

/**
 * Reads the address that a coordinator prints, for example `ws://10.0.0.5:8787/#token`. `http` and `https` are taken
 * for `ws` and `wss`.
 *
 * @throws GradwireError OPTION_INVALID
 */
export function parseChannelUrl(text: string): ChannelAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = schemes[url?.protocol ?? ''];
  if (url === undefined || scheme === undefined || url.hostname === '') {
    throw new GradwireError(
      'OPTION_INVALID',
      `not the address of a coordinator: ${text.replace(/#.*/s, '#…')}`,
      {
        hint: 'Use the address that the coordinator prints, for example ws://10.0.0.5:8787/#token.',
      },
    );
  }
  const isSecure = scheme === 'wss';
  return {
    url: `${scheme}://${url.host}${url.pathname}${url.search}`,
    authority: url.host,
    host: url.hostname,
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    isSecure,
    path: url.pathname,
    secret: url.hash.length > 1 ? decodeURIComponent(url.hash.slice(1)) : undefined,
  };
}
