import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WorkerId } from '@gradwire/engine';
import { refuseRequest } from '@gradwire/transport';
import type { Sessions } from './sessions.ts';

/** `POST /drain?worker=<name>`: lets a worker go, and answers when it has gone. */
export function answerDrain(
  request: IncomingMessage,
  response: ServerResponse,
  sessions: Pick<Sessions, 'byId' | 'release'>,
): void {
  const worker = new URL(request.url ?? '/', 'http://here').searchParams.get('worker') ?? '';
  const gone = sessions.release(worker as WorkerId, 'drained by an operator');
  if (gone === undefined) {
    const names = [...sessions.byId.keys()];
    const connected = names.length === 0 ? 'no worker is connected' : `connected are ${names.join(', ')}`;
    const message = `There is no worker "${worker}"; ${connected}.`;
    return refuseRequest(response, { status: 404, code: 'WORKER_UNKNOWN', message });
  }
  void gone.then(() => {
    const body = JSON.stringify({ worker, workers: sessions.byId.size });
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(`${body}\n`);
  });
}
