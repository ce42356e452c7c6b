import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
} from 'node:net';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import {
  type Access,
  connectChannel,
  createAccess,
  createChannelServer,
  createCoordinatorClient,
  proofHeader,
  refuseRequest,
} from './index.ts';

const token = 'known-to-both-sides';

async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly received: () => number;
}

/** A server with channels and a status page, behind any kind of access. */
async function startServer(access: Access): Promise<TestServer> {
  let received = 0;
  const server = createServer((request, response) => {
    const answer = access.check(request, 'observer');
    if ('status' in answer) return refuseRequest(response, answer);
    if (answer.proof !== undefined) response.setHeader(proofHeader, answer.proof);
    response.end('fine');
  });
  const port = await listen(server);
  const channels = createChannelServer({
    server,
    access,
    maxFrameBytes: 1_000,
    onChannel: async (channel) => {
      for await (const frame of channel.frames) received += frame.length;
    },
  });
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    received: () => received,
    async [Symbol.asyncDispose]() {
      await channels.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Passes everything on to `port`, and keeps what went through. */
async function startEavesdropper(port: number): Promise<TestServer & { heard: () => string }> {
  let heard = '';
  const server = createTcpServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (data) => (heard += data.toString('latin1'))).on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  const own = await listen(server);
  const dispose = async (): Promise<void> => void server.close();
  const rest = { received: () => 0, [Symbol.asyncDispose]: dispose };
  return { url: `ws://127.0.0.1:${own}`, port: own, heard: () => heard, ...rest };
}

const access = (): Access => createAccess({ run: 'first', token });

test('scenario 8: an impostor that does not know the token, but lets everybody in, is left before anything is said', async () => {
  const granting: Access = { check: () => ({ proof: 'A'.repeat(43) }) };
  await using impostor = await startServer(granting);
  const attempt = connectChannel(impostor.url, { token, maxFrameBytes: 1_000 });
  await expect(attempt).rejects.toMatchObject({ code: 'IDENTITY_WRONG' });
  const client = createCoordinatorClient({ url: impostor.url, token, role: 'observer' });
  await expect(client.request({ path: '/status' })).rejects.toMatchObject({ code: 'IDENTITY_WRONG' });
  expect(impostor.received()).toBe(0);
});

test.each<[string, (challenge: string) => { proof?: string }]>([
  ['without a proof', () => ({})],
  ['with a made-up proof', () => ({ proof: 'B'.repeat(43) })],
])('scenario 8: an impostor that asks for the token, and lets in anybody %s', async (_, grant) => {
  // It has the same name as the coordinator, and asks as that would.
  const honest = createAccess({ run: 'first', token: 'the-token-of-the-impostor' });
  const asking: Access = {
    check: (request, role) =>
      request.headers.authorization === undefined ? honest.check(request, role) : grant(''),
  };
  await using impostor = await startServer(asking);
  const attempt = connectChannel(impostor.url, { token, maxFrameBytes: 1_000 });
  await expect(attempt).rejects.toMatchObject({ code: 'IDENTITY_WRONG' });
  const client = createCoordinatorClient({ url: impostor.url, token, role: 'observer' });
  await expect(client.request({ path: '/status' })).rejects.toMatchObject({ code: 'IDENTITY_WRONG' });
  expect(impostor.received()).toBe(0);
});

test("an impostor cannot use the client's own proof as its own", async () => {
  const honest = access();
  const mirror: Access = {
    check(request, role) {
      const { authorization } = request.headers;
      if (authorization === undefined) return honest.check(request, role);
      return { proof: /proof="([^"]+)"/.exec(authorization)?.[1] ?? '' };
    },
  };
  await using impostor = await startServer(mirror);
  const attempt = connectChannel(impostor.url, { token, maxFrameBytes: 1_000 });
  await expect(attempt).rejects.toMatchObject({ code: 'IDENTITY_WRONG' });
});

test('neither the token nor anything that opens a second channel can be heard on the way', async () => {
  await using server = await startServer(access());
  await using way = await startEavesdropper(server.port);
  const channel = await connectChannel(way.url, { token, maxFrameBytes: 1_000 });
  const client = createCoordinatorClient({ url: way.url, token, role: 'worker' });
  expect(Buffer.from(await client.request({ path: '/status' })).toString()).toBe('fine');
  expect(way.heard()).not.toContain(token);
  const [authorization = ''] = /Gradwire role="[^\r]+/.exec(way.heard()) ?? [];
  expect(authorization).toContain('proof=');
  const again = await fetch(server.url.replace('ws', 'http'), { headers: { authorization } });
  expect(again.status).toBe(401);
  channel.close(4000, '');
  await channel.closed;
});

test('a coordinator that does not ask by challenge gets no token from a client that could answer one', async () => {
  const server = createServer((_, response) =>
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="gradwire"' }).end(),
  );
  const port = await listen(server);
  const asked: (string | undefined)[] = [];
  server.on('upgrade', (request, socket) => {
    asked.push(request.headers.authorization);
    socket.end(
      'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nWWW-Authenticate: Bearer realm="gradwire"\r\n\r\n',
    );
  });
  const attempt = connectChannel(`ws://127.0.0.1:${port}`, { token, maxFrameBytes: 1_000 });
  await expect(attempt).rejects.toMatchObject({ code: 'TOKEN_WRONG' });
  expect(asked).toEqual([undefined]);
  server.close();
});

test('a WebSocket server of another kind that lets everybody in', async () => {
  const server = createServer();
  const port = await listen(server);
  const other = new WebSocketServer({ server, handleProtocols: () => 'gradwire' });
  const attempt = connectChannel(`ws://127.0.0.1:${port}`, { token, maxFrameBytes: 1_000 });
  await expect(attempt).rejects.toMatchObject({ code: 'IDENTITY_WRONG' });
  other.close();
  server.close();
});
