import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { checkToken } from '@gradwire/transport';
import type { BlobStore } from './blobs.ts';
import { answerLinkTest } from './link-test.ts';

/** What the HTTP side answers with. */
export interface HttpOptions {
  readonly token: string;
  readonly blobs: BlobStore;
  /** A snapshot of the run for `GET /status`, as plain data. */
  readonly status: () => unknown;
}

/**
 * The coordinator's HTTP side: `GET /data/<sha256>` (manifests and chunks), `GET /status` and `POST /link` (see
 * {@link answerLinkTest}), all with the join token as `Authorization: Bearer`. WebSocket upgrades are not handled here.
 */
export function createHttpHandler(options: HttpOptions): RequestListener {
  return (request, response) => answer(request, response, options);
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { token, blobs, status }: HttpOptions,
): void {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const method = path === '/link' ? 'POST' : 'GET';
  if (request.method !== method) return sendText(response, 405, `Only ${method} is answered here.`);
  if (!checkToken(request.headers.authorization, token)) {
    return sendText(
      response,
      401,
      'The join token is missing or wrong. It is the part after # in the worker command.',
    );
  }
  if (path === '/link') return answerLinkTest(request, response);
  if (path === '/status') return sendJson(response, status());
  const blob = path.startsWith('/data/') ? blobs.read(path.slice('/data/'.length)) : undefined;
  if (blob === undefined)
    return sendText(response, 404, 'Nothing here. Known paths: /status, /data/<sha256>, /link.');
  // Content-addressed: what is under a sum never changes.
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': blob.byteLength,
    'cache-control': 'public, max-age=31536000, immutable',
  });
  response.end(blob);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(value, null, 2)}\n`);
}
