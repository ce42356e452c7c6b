import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { GradwireError, toError } from '@gradwire/errors';
import { httpServerOptions, observerToken } from '@gradwire/transport';

/** A certificate and its key, as PEM. */
export interface TlsCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Where to listen, and how. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsCertificate;
}

/** Takes the address. Throws CONNECTION_FAILED if that is not possible, OPTION_INVALID for a certificate that is none. */
export function listen({ host, port, tls }: ListenOptions): Promise<Server> {
  const server = tls ? createSecure(tls) : createServer(httpServerOptions);
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void =>
      reject(
        new GradwireError('CONNECTION_FAILED', `cannot listen on ${host}, port ${port}: ${cause.message}`, {
          cause,
          hint: 'Choose another address with --host or another port with --port (0 takes a free one).',
        }),
      );
    server.once('error', refuse);
    server.listen(port, host, () => resolve(server.off('error', refuse)));
  });
}

function createSecure({ cert, key }: TlsCertificate): Server {
  const { headersTimeout: handshakeTimeout } = httpServerOptions;
  try {
    return createSecureServer({ ...httpServerOptions, cert, key, handshakeTimeout });
  } catch (thrown) {
    const cause = toError(thrown);
    throw new GradwireError('OPTION_INVALID', `certificate and key cannot be used: ${cause.message}`, {
      cause,
      hint: 'Both are needed as PEM, and the key must be that of the certificate; --tls self-signed makes a pair.',
    });
  }
}

/**
 * What stands after `#` in the address for workers, and for those who may only look: a token, with TLS followed by the
 * certificate's SHA-256.
 */
export function joinSecrets(
  token: string,
  tls?: TlsCertificate,
): { secret: string; observerSecret: string; isSecure: boolean } {
  const end = tls === undefined ? '' : `,${fingerprintOf(tls)}`;
  return {
    secret: `${token}${end}`,
    observerSecret: `${observerToken(token)}${end}`,
    isSecure: tls !== undefined,
  };
}

function fingerprintOf({ cert }: TlsCertificate): string {
  return new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
