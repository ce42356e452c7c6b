import type { ServerOptions } from 'node:http';

/**
 * Options for the HTTP server under a channel server: a connection that sends its request header a byte at a time is
 * ended after 5 s. Node looks for such connections every 30 s only, unless told otherwise here.
 */
export const httpServerOptions: Required<
  Pick<ServerOptions, 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval' | 'maxHeaderSize'>
> = {
  headersTimeout: 5_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8_192,
};
