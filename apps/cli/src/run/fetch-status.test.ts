import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createAccess, refuseRequest } from '@gradwire/transport';
import { expect, test } from 'vitest';
import { fetchStatus } from './fetch-status.ts';

const token = 'a-token-of-tests';
const never = new AbortController().signal;

interface SilentServer extends AsyncDisposable {
  readonly url: string;
}

async function listen(server: Server): Promise<SilentServer> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** As a stopped process: the system takes its connections, and nobody reads them. */
const stopped = (): Server => createServer();

/** Stopped when it had asked for the token. */
function stoppedInBetween(): Server {
  const access = createAccess({ run: 'test', token });
  return createHttpServer((request, response) => {
    const answer = access.check(request, 'observer');
    if ('status' in answer) refuseRequest(response, answer);
  });
}

/** Stopped when it had begun to answer. */
function stoppedWhileAnswering(): Server {
  return createHttpServer((_, response) => response.write('{"run":'));
}

test.each([
  ['from the start', stopped],
  ['after its challenge', stoppedInBetween],
  ['in its answer', stoppedWhileAnswering],
])(
  'a coordinator that is silent %s is not waited for',
  async (_, create) => {
    await using server = await listen(create());
    await expect(fetchStatus({ url: server.url, token }, never, 200)).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      message: `the coordinator at ${server.url} did not answer within 0.2 s`,
      hint: expect.stringContaining('not stopped') as string,
    });
  },
  10_000,
);

test('who stops asking is told so, and not that there was no answer', async () => {
  const server = stopped();
  await using silent = await listen(server);
  const controller = new AbortController();
  server.once('connection', () => controller.abort());
  const asked = fetchStatus({ url: silent.url, token }, controller.signal);
  await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('an error that comes in time is told as it is', async () => {
  const asked = fetchStatus({ url: 'ws://127.0.0.1:1', token }, never);
  await expect(asked).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    message: expect.stringContaining('connection refused') as string,
  });
});
