import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { closeCodes } from '@gradwire/protocol';
import { GradwireError } from '@gradwire/errors';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import {
  type Access,
  type Channel,
  connectChannel,
  type ConnectOptions,
  createAccess,
  createChannelServer,
} from './index.ts';

const token = 'secret-token';
const options: ConnectOptions = { token, maxFrameBytes: 1_000 };

async function listen<S extends Server | TcpServer>(server: S): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const grant = (): Access => createAccess({ run: 'test', token });

/** An HTTP server with a coordinator's channels at `/`. */
async function startCoordinator(
  limits = {},
  {
    onChannel = () => {},
    access = grant(),
  }: { onChannel?: (channel: Channel) => void; access?: Access } = {},
): Promise<AsyncDisposable & { port: number; sockets: ReadonlySet<Socket> }> {
  const server = createServer((_, response) => response.end());
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  const port = await listen(server);
  const options = { server, access, maxFrameBytes: 1_000, limits };
  const channels = createChannelServer({ ...options, onChannel });
  const dispose = async (): Promise<void> => {
    await channels.close();
    server.close();
  };
  return { port, sockets, [Symbol.asyncDispose]: dispose };
}

/** Resolves when a client has sent so many. */
function pongs({ sockets }: { readonly sockets: ReadonlySet<Socket> }, most: number): Promise<string> {
  const [, stream] = sockets;
  return new Promise((resolve) => {
    let count = 0;
    stream?.on('data', () => {
      count += 1;
      if (count === most) resolve(`${count} pongs`);
    });
  });
}

async function connectError(url: string, given: Partial<ConnectOptions> = {}): Promise<GradwireError> {
  const error: unknown = await connectChannel(url, { ...options, ...given }).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GradwireError)) throw new Error(`expected a GradwireError, found ${String(error)}`);
  expect(error.hint).toMatch(/^[A-Z].*\.$/);
  expect(`${error.message} ${error.hint}`).not.toContain(token);
  return error;
}

test('the token may be part of the URL, and http is taken for ws', async () => {
  await using coordinator = await startCoordinator();
  const channel = await connectChannel(`http://127.0.0.1:${coordinator.port}/#${token}`, {
    maxFrameBytes: 1_000,
  });
  expect(channel.peer).toBe(`127.0.0.1:${coordinator.port}`);
});

test('a wrong token', async () => {
  await using coordinator = await startCoordinator();
  const error = await connectError(`ws://127.0.0.1:${coordinator.port}/`, { token: 'wrong' });
  expect(error.code).toBe('TOKEN_WRONG');
  expect(error.message).toContain(`127.0.0.1:${coordinator.port}`);
});

/** Of a coordinator that is started again after each of the first requests. */
function createSuccessors(restarts: number): Access & { readonly asked: number } {
  let current = grant();
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    check(request, role) {
      const answer = current.check(request, role);
      asked += 1;
      if (asked <= restarts) current = grant();
      return answer;
    },
  };
}

test('a coordinator that is started again between challenge and answer is answered once more', async () => {
  const access = createSuccessors(1);
  await using coordinator = await startCoordinator({}, { access });
  const channel = await connectChannel(`ws://127.0.0.1:${coordinator.port}/`, options);
  expect(access.asked).toBe(3);
  channel.close(closeCodes.goodbye.code, '');
  await channel.closed;
});

test.each([
  ['a wrong token is', { token: 'wrong' }, 0],
  ['a coordinator that never knows its challenge is', {}, Number.POSITIVE_INFINITY],
])('%s not tried for ever', async (_, given, restarts) => {
  const access = createSuccessors(restarts);
  await using coordinator = await startCoordinator({}, { access });
  const error = await connectError(`ws://127.0.0.1:${coordinator.port}/`, given);
  expect([error.code, access.asked]).toEqual(['TOKEN_WRONG', 3]);
});

test('no token', async () => {
  const error = await connectError('ws://127.0.0.1:1/', { token: '' });
  expect(error.code).toBe('TOKEN_WRONG');
});

test('nothing listens', async () => {
  const server = createTcpServer();
  const port = await listen(server);
  server.close();
  const error = await connectError(`ws://127.0.0.1:${port}/`);
  expect(error.code).toBe('CONNECTION_FAILED');
  expect(error.message).toMatch(new RegExp(`127.0.0.1:${port}: connection refused`));
  expect(error.hint).toContain('running');
});

test('an unknown host', async () => {
  const error = await connectError('ws://no-such-host.invalid:8787/');
  expect(error.code).toBe('CONNECTION_FAILED');
  expect(error.message).toMatch(
    /no-such-host\.invalid:8787: the (host name is not known|name server does not answer)/,
  );
});

test('a wrong path', async () => {
  await using coordinator = await startCoordinator();
  const error = await connectError(`ws://127.0.0.1:${coordinator.port}/other`);
  expect(error.code).toBe('CONNECTION_FAILED');
  expect(error.message).toContain('wrong path /other');
});

test('a coordinator that is full', async () => {
  await using coordinator = await startCoordinator({ maxChannels: 0 });
  const error = await connectError(`ws://127.0.0.1:${coordinator.port}/`);
  expect(error.code).toBe('CONNECTION_REFUSED');
  expect(error.message).toContain('as many connections as it accepts');
});

test('a web server that is no coordinator', async () => {
  const server = createServer((_, response) => response.writeHead(200).end('hello'));
  const port = await listen(server);
  const error = await connectError(`ws://127.0.0.1:${port}/`);
  expect(error.code).toBe('CONNECTION_FAILED');
  expect(error.message).toContain('not a Gradwire coordinator: HTTP status 200');
  server.close();
});

test('a WebSocket server that is no coordinator', async () => {
  const server = createServer();
  const port = await listen(server);
  const other = new WebSocketServer({ server, handleProtocols: () => false });
  const error = await connectError(`ws://127.0.0.1:${port}/`);
  expect(error.code).toBe('CONNECTION_FAILED');
  expect(error.message).toContain('not a Gradwire coordinator');
  other.close();
  server.close();
});

test.each<[string, (socket: Socket) => void, RegExp, number?]>([
  ['speaks something else', (socket) => socket.end('220 mail.example ESMTP\r\n'), /the answer is not HTTP/],
  ['hangs up', (socket) => socket.destroy(), /dropped before an answer came/],
  ['says nothing', () => {}, /no answer in time/, 1_000],
])('a server that %s', async (_, answer, expected, connectTimeoutMs = 20_000) => {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    answer(socket);
  });
  const port = await listen(server);
  const error = await connectError(`ws://127.0.0.1:${port}/`, { limits: { connectTimeoutMs } });
  expect(error.code).toBe('CONNECTION_FAILED');
  expect(error.message).toMatch(expected);
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('TLS asked from a server without it', async () => {
  await using coordinator = await startCoordinator();
  const error = await connectError(`wss://127.0.0.1:${coordinator.port}/`);
  expect(error.code).toBe('CONNECTION_FAILED');
  expect(error.message).toContain('does not speak TLS');
});

test.each(['', 'nonsense', 'ftp://host/', 'ws://'])('the URL "%s" is refused', async (url) => {
  expect((await connectError(url)).code).toBe('OPTION_INVALID');
});

test('a URL that is refused is quoted without its token', async () => {
  expect((await connectError(`ftp://host/#${token}`)).message).toContain('ftp://host/#…');
});

test.each(['before', 'while'])('the signal stops connecting: aborted %s', async (when) => {
  const server = createTcpServer();
  const port = await listen(server);
  const controller = new AbortController();
  if (when === 'before') controller.abort(new Error('asked'));
  else server.once('connection', () => controller.abort(new Error('asked')));
  const attempt = connectChannel(`ws://127.0.0.1:${port}/`, { ...options, signal: controller.signal });
  await expect(attempt).rejects.toMatchObject({ code: 'CANCELLED' });
  server.close();
});

test('a server that falls silent is noticed', async () => {
  // It pings, but not within this test.
  await using coordinator = await startCoordinator({ intervalMs: 60_000 });
  const limits = { intervalMs: 10, silenceMs: 50 };
  const channel = await connectChannel(`ws://127.0.0.1:${coordinator.port}/`, { ...options, limits });
  expect(await channel.closed).toMatchObject({ code: closeCodes.silence.code });
});

test('a server that pings is not taken for silent', async () => {
  await using coordinator = await startCoordinator({ intervalMs: 10 });
  const limits = { intervalMs: 20, silenceMs: 100 };
  const channel = await connectChannel(`ws://127.0.0.1:${coordinator.port}/`, { ...options, limits });
  // They take at least four times the silence that is tolerated.
  expect(await Promise.race([channel.closed, pongs(coordinator, 40)])).toBe('40 pongs');
  channel.close(closeCodes.goodbye.code, '');
  await channel.closed;
});

test('neither is a client that has stopped reading, and so does not see pings', async () => {
  let server: Channel | undefined;
  await using coordinator = await startCoordinator(
    { intervalMs: 10, silenceMs: 50 },
    {
      onChannel: (channel) => {
        server = channel;
        for (let value = 1; value <= 3; value++) channel.send(Uint8Array.of(value));
      },
    },
  );
  const limits = { intervalMs: 10, maxUnreadFrames: 1 };
  const channel = await connectChannel(`ws://127.0.0.1:${coordinator.port}/`, { ...options, limits });
  expect(await Promise.race([server?.closed, pongs(coordinator, 40)])).toBe('40 pongs');
  for await (const [value] of channel.frames) if (value === 3) break;
  channel.close(closeCodes.goodbye.code, '');
  await channel.closed;
});

test('a connection that breaks ends the channel with 1006', async () => {
  await using coordinator = await startCoordinator();
  const channel = await connectChannel(`ws://127.0.0.1:${coordinator.port}/`, options);
  for (const socket of coordinator.sockets) socket.destroy();
  expect(await channel.closed).toMatchObject({ code: 1006 });
});
