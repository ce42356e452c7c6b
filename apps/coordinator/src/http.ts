import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Access, proofHeader, type Refusal, refuseRequest, type Role } from '@gradwire/transport';
import type { BlobStore } from './blobs.ts';
import { answerLinkTest } from './link-test.ts';
import { answerDrain, type Drainage } from './drain.ts';

/** What the HTTP side answers with. */
export interface HttpOptions {
  readonly access: Access;
  readonly blobs: BlobStore;
  /** A snapshot of the run for `GET /status`, as plain data. */
  readonly status: () => unknown;
  readonly drainage: Drainage;
}

/**
 * The coordinator's HTTP side: `GET /data/<sha256>` (manifests and chunks), `GET /status`, `POST /link` (see
 * {@link answerLinkTest}) and `POST /drain` (see {@link answerDrain}). Everything needs the join token; for the status the
 * observer's will do. WebSocket upgrades are not handled here.
 */
export function createHttpHandler(options: HttpOptions): RequestListener {
  return (request, response) => answer(request, response, options);
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { access, blobs, status, drainage }: HttpOptions,
): void {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const { method, role } = routes[path] ?? routes['/data'];
  const answer = access.check(request, role);
  if ('status' in answer) return refuseRequest(response, answer);
  if (answer.proof !== undefined) response.setHeader(proofHeader, answer.proof);
  if (request.method !== method) return refuseRequest(response, refusals.method(method));
  if (path === '/link') return answerLinkTest(request, response);
  if (path === '/drain') return answerDrain(request, response, drainage);
  if (path === '/status') return sendJson(response, status());
  if (!path.startsWith('/data/')) return refuseRequest(response, refusals.path);
  if (!oneAtATime(request, response)) return;
  void blobs.read(path.slice('/data/'.length)).then(
    (blob) => sendBlob(response, blob),
    () => response.destroy(),
  );
}

const answering = new WeakSet<Socket>();
/** An answer of which the other side takes nothing for this long is given up. */
const unreadMs = 30_000;

/**
 * Whether this is the connection's only unfinished answer. Of many that are asked for and not read each would hold a chunk;
 * clients ask for one after the other.
 */
function oneAtATime({ socket }: IncomingMessage, response: ServerResponse): boolean {
  if (answering.has(socket)) {
    socket.destroy();
    return false;
  }
  answering.add(socket);
  response.once('close', () => answering.delete(socket));
  response.setTimeout(unreadMs);
  return true;
}

function sendBlob(response: ServerResponse, blob: Uint8Array | undefined): void {
  if (blob === undefined) return refuseRequest(response, refusals.path);
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': blob.byteLength,
    // Content-addressed: what is under a sum never changes. For the one who asked, not for proxies on the way.
    'cache-control': 'private, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
  });
  response.end(blob);
}

interface Route {
  readonly method: 'GET' | 'POST';
  /** Who may ask. */
  readonly role: Role;
}

const routes: Readonly<Record<string, Route>> & { readonly '/data': Route } = {
  '/data': { method: 'GET', role: 'worker' },
  '/status': { method: 'GET', role: 'observer' },
  '/link': { method: 'POST', role: 'worker' },
  '/drain': { method: 'POST', role: 'worker' },
};

const refusals = {
  path: {
    status: 404,
    code: 'PATH_WRONG',
    message: 'Nothing here. Known paths: /status, /data/<sha256>, /link, /drain.',
  },
  method: (method: string): Refusal => ({
    status: 405,
    code: 'METHOD_WRONG',
    message: `Only ${method} is answered here.`,
  }),
} as const;

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(`${JSON.stringify(value, null, 2)}\n`);
}
