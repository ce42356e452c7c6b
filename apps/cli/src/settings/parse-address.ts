import { GradwireError } from '@gradwire/errors';

/** Where a coordinator listens, and what it lets in. */
export interface CoordinatorAddress {
  /** For example `ws://10.0.0.5:8787`. */
  readonly url: string;
  /** Followed by a comma and the fingerprint of the certificate, if the address has one. */
  readonly token: string;
}

/** Splits `ws://host:port#token`; the token may also come from --token or GRADWIRE_TOKEN. Throws OPTION_INVALID. */
export function parseAddress(address: string, given: string | undefined): CoordinatorAddress {
  const [url = '', fragment] = address.split('#', 2);
  const token = fragment ?? given;
  const hint = 'Copy the whole command that the coordinator printed: gradwire worker ws://host:port#token';
  if (!/^wss?:\/\/[^/]+/.test(url) || !URL.canParse(url)) {
    throw new GradwireError(
      'OPTION_INVALID',
      `expected an address like ws://host:port#token, found "${url}"`,
      { hint },
    );
  }
  if (!token) throw new GradwireError('OPTION_INVALID', `the address ${url} has no join token`, { hint });
  return { url, token };
}
