import { readFile } from 'node:fs/promises';
import { GradwireError, toError } from '@gradwire/errors';
import { parseJoinSecret } from '@gradwire/transport/token';
import { isLoopback } from '../run/join-command.ts';

/** Where a token may come from, besides an address. */
export interface TokenSettings {
  readonly token?: string;
  readonly tokenFile?: string;
}

/** The token that was given, or undefined. Throws OPTION_INVALID. */
export async function tokenOf({ token, tokenFile }: TokenSettings): Promise<string | undefined> {
  if (token !== undefined || tokenFile === undefined) return token;
  const text = await readFile(tokenFile, 'utf8').catch((cause: unknown) => {
    throw invalid(
      `${tokenFile}: the token cannot be read (${toError(cause).message})`,
      'Check --token-file.',
    );
  });
  if (isToken(text.trim())) return text.trim();
  throw invalid(`${tokenFile}: expected a token and nothing else`, tokenRule);
}

/** Characters that survive an address, a header and a shell; after a comma the fingerprint of a certificate. */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9._~-]{8,100}(,[0-9a-f]{64})?$/.test(text);
}

export const tokenRule = 'Expected 8 to 100 letters, digits, dots, underscores, tildes or hyphens.';

// Whoever hears a proof may try tokens at home, as many as he likes.
const publicTokenCharacters = 16;

/** The token for a run that listens on `host`; undefined: a new one. Throws OPTION_INVALID for one that is too weak there. */
export async function runToken(settings: TokenSettings, host: string): Promise<string | undefined> {
  const token = await tokenOf(settings);
  if (token === undefined) return undefined;
  if (parseJoinSecret(token)?.fingerprint !== undefined) {
    throw invalid('the token of a run has no fingerprint: its certificate decides that', tokenRule);
  }
  if (isLoopback(host) || token.length >= publicTokenCharacters) return token;
  throw invalid(
    `other machines can reach ${host}: expected a token of at least ${publicTokenCharacters} characters, found ${token.length}`,
    'Leave --token away: each run then gets a strong one of its own.',
  );
}

function invalid(message: string, hint: string): GradwireError {
  return new GradwireError('OPTION_INVALID', message, { hint });
}
