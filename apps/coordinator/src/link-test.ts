import type { IncomingMessage, ServerResponse } from 'node:http';

const mostBytes = 16 * 2 ** 20;

/** `POST /link?bytes=n`: swallows what is sent and answers with n bytes, so that the other side can measure the link. */
export function answerLinkTest(request: IncomingMessage, response: ServerResponse): void {
  const wanted = Number(new URL(request.url ?? '/', 'http://here').searchParams.get('bytes'));
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > mostBytes) {
    response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`bytes: expected a whole number from 0 to ${mostBytes}\n`);
    return;
  }
  let received = 0;
  request.on('data', (chunk: Uint8Array) => {
    received += chunk.length;
    if (received > mostBytes) request.destroy();
  });
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': wanted });
    response.end(Buffer.alloc(wanted));
  });
}
