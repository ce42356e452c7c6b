import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WorkerId } from '@gradwire/engine';
import { refuseRequest } from '@gradwire/transport';
import type { Sessions } from './sessions.ts';

/** What draining needs. */
export interface Drainage {
  readonly workers: Sessions['byId'];
  /** Asks for the worker's release, once it has answered its leases. */
  readonly drain: (worker: WorkerId) => void;
}

/** `POST /drain?worker=<name>`: lets a worker go, and answers when it has gone. */
export function answerDrain(
  request: IncomingMessage,
  response: ServerResponse,
  { workers, drain }: Drainage,
): void {
  const worker = new URL(request.url ?? '/', 'http://here').searchParams.get('worker') ?? '';
  const session = workers.get(worker as WorkerId);
  if (session === undefined) {
    const names = [...workers.keys()];
    const connected = names.length === 0 ? 'no worker is connected' : `connected are ${names.join(', ')}`;
    const message = `There is no worker "${worker}"; ${connected}.`;
    return refuseRequest(response, { status: 404, code: 'WORKER_UNKNOWN', message });
  }
  void session.channel.closed.then(() => {
    const body = JSON.stringify({
      worker,
      workers: [...workers.values()].filter((each) => each !== session).length,
    });
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(`${body}\n`);
  });
  drain(session.id);
}
