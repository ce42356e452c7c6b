import type { Duplex } from 'node:stream';

/** Why an upgrade is refused: HTTP status, and what the body says. */
export interface Refusal {
  readonly status: 401 | 404 | 503;
  /** An error code, or the name of a limit. */
  readonly code: string;
  readonly message: string;
}

const statusTexts = { 401: 'Unauthorized', 404: 'Not Found', 503: 'Service Unavailable' } as const;

/** A header of every refusal: by it a client knows a Gradwire coordinator. */
export const refusalHeader = 'gradwire-refusal';

/** Answers an upgrade request with an HTTP error whose body is `{"code", "message"}`, and ends the connection. */
export function refuseUpgrade(stream: Duplex, { status, code, message }: Refusal): void {
  const body = `${JSON.stringify({ code, message })}\n`;
  const head = [
    `HTTP/1.1 ${status} ${statusTexts[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `${refusalHeader}: ${code}`,
    ...(status === 401 ? ['WWW-Authenticate: Bearer realm="gradwire"'] : []),
  ];
  stream.once('finish', () => stream.destroy());
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
