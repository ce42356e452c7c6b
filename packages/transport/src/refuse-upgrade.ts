import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Why a request or an upgrade is refused: HTTP status, and what the body says. */
export interface Refusal {
  readonly status: 401 | 403 | 404 | 405 | 421 | 503;
  /** An error code, or the name of a limit. */
  readonly code: string;
  readonly message: string;
  /** For `WWW-Authenticate`: how to ask again. */
  readonly challenge?: string;
}

const statusTexts = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  421: 'Misdirected Request',
  503: 'Service Unavailable',
} as const;

/** A header of every refusal: by it a client knows a Gradwire coordinator. */
export const refusalHeader = 'gradwire-refusal';

/** Answers an upgrade request with an HTTP error whose body is `{"code", "message"}`, and ends the connection. */
export function refuseUpgrade(stream: Duplex, refusal: Refusal): void {
  const body = bodyOf(refusal);
  const { status } = refusal;
  const head = [
    `HTTP/1.1 ${status} ${statusTexts[status]}`,
    'Connection: close',
    ...Object.entries(headersOf(refusal, body)).map(([name, value]) => `${name}: ${value}`),
  ];
  stream.once('finish', () => stream.destroy());
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Answers any other request in the same way. */
export function refuseRequest(response: ServerResponse, refusal: Refusal): void {
  const body = bodyOf(refusal);
  response.writeHead(refusal.status, headersOf(refusal, body));
  response.end(body);
}

/**
 * Refuses all that a server is asked until the returned function is called: a server that listens and has no handler yet
 * would leave them without an answer.
 */
export function refuseEverything(server: Server, refusal: Refusal): () => void {
  const onRequest = (_: IncomingMessage, response: ServerResponse): void => refuseRequest(response, refusal);
  const onUpgrade = (_: IncomingMessage, stream: Duplex): void => {
    stream.on('error', () => stream.destroy());
    refuseUpgrade(stream, refusal);
  };
  server.on('request', onRequest).on('upgrade', onUpgrade);
  return () => void server.off('request', onRequest).off('upgrade', onUpgrade);
}

function bodyOf({ code, message }: Refusal): string {
  return `${JSON.stringify({ code, message })}\n`;
}

function headersOf({ code, challenge }: Refusal, body: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'content-length': `${Buffer.byteLength(body)}`,
    'cache-control': 'no-store',
    [refusalHeader]: code,
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
  };
}
