import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { closeCodes } from '@gradwire/protocol';
import { expect, test } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import {
  type Channel,
  type ChannelServerLimits,
  createAccess,
  createChannelServer,
  httpServerOptions,
  observerToken,
} from './index.ts';

const token = 'a-token_of-tests';
const bearer = { authorization: `Bearer ${token}` };

interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** Resolves with the next channel that is accepted. */
  readonly nextChannel: () => Promise<Channel>;
  readonly channels: ReadonlySet<Channel>;
  readonly close: () => Promise<void>;
}

async function startServer(limits: Partial<ChannelServerLimits> = {}): Promise<TestServer> {
  const server = createServer(httpServerOptions, (_, response) => response.end('page')).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const waiting: ((channel: Channel) => void)[] = [];
  const onChannel = (channel: Channel): void => waiting.shift()?.(channel);
  const channelServer = createChannelServer({
    server,
    path: '/join',
    access: createAccess({ run: 'test', token }),
    maxFrameBytes: 1_000,
    onChannel,
    limits,
  });
  return {
    port: (server.address() as AddressInfo).port,
    nextChannel: () => new Promise((resolve) => waiting.push(resolve)),
    channels: channelServer.channels,
    close: () => channelServer.close(),
    [Symbol.asyncDispose]: async () => {
      await channelServer.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

function openSocket(port: number, protocols: string[], options: ClientOptions = {}): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/join`, protocols, options);
  socket.on('error', () => {});
  return socket;
}

/** Status and body of the answer to an upgrade request that is refused. */
async function readRefusal(port: number, protocols: string[], options: ClientOptions = {}) {
  const [, response] = (await once(openSocket(port, protocols, options), 'unexpected-response')) as [
    unknown,
    IncomingMessage,
  ];
  return {
    status: response.statusCode,
    headers: response.headers,
    body: JSON.parse(await text(response)) as unknown,
  };
}

async function readClose(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

test.each<[string, string[], Record<string, string>]>([
  ['no token', ['gradwire'], {}],
  ['a wrong token', ['gradwire'], { authorization: `Bearer ${token}x` }],
  ['an empty token', ['gradwire'], { authorization: 'Bearer ' }],
  ['another scheme', ['gradwire'], { authorization: `Basic ${token}` }],
  ['a wrong token as subprotocol', ['gradwire', 'gradwire.token.nonsense'], {}],
  [
    'a wrong header beside the right subprotocol',
    ['gradwire', `gradwire.token.${token}`],
    { authorization: 'Bearer x' },
  ],
])('%s is refused before the upgrade', async (_, protocols, headers) => {
  await using server = await startServer();
  const refusal = await readRefusal(server.port, protocols, { headers });
  expect(refusal.status).toBe(401);
  expect(refusal.headers['www-authenticate']).toMatch(
    /^Gradwire run="test", nonce="[\w.-]+", Bearer realm="gradwire"$/,
  );
  expect(refusal.body).toMatchObject({
    code: 'TOKEN_WRONG',
    message: expect.stringContaining('token') as string,
  });
  expect(server.channels.size).toBe(0);
});

test.each<[string, string[], Record<string, string>]>([
  ['as a header', ['gradwire'], bearer],
  ['as a subprotocol, for browsers', [`gradwire.token.${token}`, 'gradwire'], {}],
])('the token opens a channel: %s', async (_, protocols, headers) => {
  await using server = await startServer();
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, protocols, { headers });
  await once(socket, 'open');
  expect(socket.protocol).toBe('gradwire');
  const channel = await accepted;
  expect(channel.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(server.channels.has(channel)).toBe(true);
});

test("an observer's token opens no channel", async () => {
  await using server = await startServer();
  const headers = { authorization: `Bearer ${observerToken(token)}` };
  expect(await readRefusal(server.port, ['gradwire'], { headers })).toMatchObject({
    status: 403,
    body: { code: 'ROLE_WRONG' },
  });
});

test('compression is never agreed on', async () => {
  await using server = await startServer();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer, perMessageDeflate: true });
  await once(socket, 'open');
  expect(socket.extensions).toBe('');
});

test('another path is not found, and plain requests are left to the HTTP server', async () => {
  await using server = await startServer();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/elsewhere`, { headers: bearer });
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  expect(response.statusCode).toBe(404);
  expect(await text(response)).toContain('/join');
  expect(await (await fetch(`http://127.0.0.1:${server.port}/join`)).text()).toBe('page');
});

test.each([{ maxChannels: 2 }, { maxChannelsPerAddress: 2 }])(
  '%o holds, and a channel that ends makes room',
  async (limits) => {
    await using server = await startServer(limits);
    const accepted = server.nextChannel();
    const first = openSocket(server.port, ['gradwire'], { headers: bearer });
    const channel = await accepted;
    await once(openSocket(server.port, ['gradwire'], { headers: bearer }), 'open');
    const refusal = await readRefusal(server.port, ['gradwire'], { headers: bearer });
    expect(refusal).toMatchObject({ status: 503, body: { code: 'FULL' } });
    first.close(4000);
    await channel.closed;
    await once(openSocket(server.port, ['gradwire'], { headers: bearer }), 'open');
  },
);

test('connections that have shown no token are capped by address, before they send anything', async () => {
  await using server = await startServer({ maxUnauthenticatedPerAddress: 3 });
  const idle = Array.from({ length: 3 }, () => connect(server.port, '127.0.0.1'));
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  const oneTooMany = connect(server.port, '127.0.0.1');
  oneTooMany.on('error', () => {});
  await once(oneTooMany, 'close');
  const ended = idle.map((socket) => once(socket, 'close'));
  for (const socket of idle) socket.destroy();
  await Promise.all(ended);
});

test('channels do not count as connections without a token', async () => {
  await using server = await startServer({ maxUnauthenticatedPerAddress: 1 });
  for (let index = 0; index < 4; index++) {
    await once(openSocket(server.port, ['gradwire'], { headers: bearer }), 'open');
  }
  expect(server.channels.size).toBe(4);
});

test('a client that says nothing after the upgrade is closed', async () => {
  await using server = await startServer({ firstFrameMs: 30 });
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  expect((await readClose(socket)).code).toBe(closeCodes.helloTimeout.code);
  expect(await (await accepted).closed).toMatchObject({ code: closeCodes.helloTimeout.code });
});

test('a client that has spoken may stay', async () => {
  await using server = await startServer({ firstFrameMs: 300, intervalMs: 20 });
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  socket.send(Uint8Array.of(1));
  await accepted;
  // 20 pings take longer than the first frame might have.
  for (let pings = 0; pings < 20; pings++) await once(socket, 'ping');
  expect(socket.readyState).toBe(WebSocket.OPEN);
});

test('a client that does not answer pings is dropped', async () => {
  await using server = await startServer({ intervalMs: 10, silenceMs: 50 });
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer, autoPong: false });
  const closed = readClose(socket);
  expect(await (await accepted).closed).toMatchObject({ code: closeCodes.silence.code });
  expect((await closed).code).toBe(1006);
});

test('a frame above the limit ends the channel', async () => {
  await using server = await startServer();
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  socket.send(new Uint8Array(1_001));
  expect((await readClose(socket)).code).toBe(1009);
  expect((await (await accepted).closed).code).toBe(1009);
});

test('a frame in too many fragments ends the channel', async () => {
  await using server = await startServer();
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  for (let index = 0; index < 20; index++) socket.send(Uint8Array.of(1), { fin: false });
  expect((await readClose(socket)).code).toBe(1008);
  expect((await (await accepted).closed).code).toBe(1008);
});

test('a text frame ends the channel', async () => {
  await using server = await startServer();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  socket.send('hello');
  expect((await readClose(socket)).code).toBe(1003);
});

test('a large frame comes as an announcement and messages of at most 4 MiB', async () => {
  await using server = await startServer();
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  const sizes: unknown[] = [];
  socket.on('message', (data: Buffer, isBinary) => sizes.push(isBinary ? data.length : data.toString()));
  const channel = await accepted;
  channel.send([new Uint8Array(2 ** 22), Uint8Array.of(1, 2), new Uint8Array(2 ** 22)]);
  channel.send(Uint8Array.of(3));
  channel.close(4001, '');
  await once(socket, 'close');
  expect(sizes).toEqual(['frame 8388610', 2 ** 22, 2 ** 22, 2, 1]);
});

test('an announced frame is put together from messages of any size', async () => {
  await using server = await startServer();
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  socket.send('frame 5');
  for (const message of [[1, 2], [], [3], [4, 5], [6]]) socket.send(Uint8Array.from(message));
  const received: number[][] = [];
  for await (const frame of (await accepted).frames) {
    received.push([...frame]);
    if (received.length === 2) break;
  }
  expect(received).toEqual([[1, 2, 3, 4, 5], [6]]);
});

test.each<[string, (string | Uint8Array)[], number]>([
  ['larger than the limit', ['frame 1001'], 1009],
  ['larger than can be counted', ['frame 99999999999'], 1003],
  ['of no bytes', ['frame 0'], 1003],
  ['of a fraction', ['frame 1.5'], 1003],
  ['with more words', ['frame 10 now'], 1003],
  ['before the last one is complete', ['frame 10', new Uint8Array(9), 'frame 10'], 1002],
  ['and followed by too much', ['frame 10', new Uint8Array(9), new Uint8Array(2)], 1002],
])('a frame that is announced %s ends the channel', async (_, messages, code) => {
  await using server = await startServer();
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  for (const message of messages) socket.send(message);
  expect((await readClose(socket)).code).toBe(code);
  expect((await (await accepted).closed).code).toBe(code);
});

test('pings get their turn within a large frame', async () => {
  await using server = await startServer({ intervalMs: 1 });
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  let left = 2 ** 26;
  let pingsWithin = 0;
  const all = new Promise<void>((resolve) => {
    socket.on('ping', () => (pingsWithin += left > 0 && left < 2 ** 26 ? 1 : 0));
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) left -= data.length;
      if (left === 0) resolve();
    });
  });
  (await accepted).send(new Uint8Array(left));
  await all;
  expect(pingsWithin).toBeGreaterThan(0);
});

test('a client that ignores the close is cut off', async () => {
  await using server = await startServer({ closeTimeoutMs: 30 });
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  socket.pause();
  const channel = await accepted;
  channel.close(closeCodes.runEnded.code, 'over');
  expect(await channel.closed).toEqual({ code: closeCodes.runEnded.code, reason: 'over' });
  socket.terminate();
});

test('closing the server closes the channels and refuses new ones', async () => {
  await using server = await startServer();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  const closed = readClose(socket);
  const closing = server.close();
  expect(
    await readRefusal(server.port, ['gradwire'], { headers: bearer }).catch(() => 'dropped'),
  ).toMatchObject({ status: 503 });
  await closing;
  expect((await closed).code).toBe(closeCodes.stopping.code);
  expect(server.channels.size).toBe(0);
});

test('a request that is no WebSocket handshake is refused', async () => {
  await using server = await startServer();
  const socket = connect(server.port, '127.0.0.1');
  const head = [
    'GET /join HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Authorization: Bearer ${token}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
  expect(server.channels.size).toBe(0);
});

test('a flood of messages is slowed down: nothing is lost, and nobody is dropped', async () => {
  await using server = await startServer({ maxMessagesPerSecond: 100 });
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  for (let index = 0; index < 250; index += 1) socket.send(Uint8Array.of(index));
  let next = 0;
  for await (const [value] of (await accepted).frames) {
    expect(value).toBe(next);
    next += 1;
    if (next === 250) break;
  }
  expect(socket.readyState).toBe(WebSocket.OPEN);
});

test('pings without end from a client that does not read pile up no answers', async () => {
  await using server = await startServer({ maxMessagesPerSecond: 1e9 });
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  socket.pause();
  const channel = await accepted;
  for (let index = 0; index < 200_000; index += 1) socket.ping(new Uint8Array(125));
  socket.send(Uint8Array.of(1));
  for await (const frame of channel.frames) {
    expect([...frame]).toEqual([1]);
    break;
  }
  expect(channel.bufferedBytes).toBeLessThan(2 ** 17);
  socket.terminate();
});

test('a header that comes a byte at a time, and a connection that never says anything, are ended', async () => {
  const limits = { headersTimeout: 200, connectionsCheckingInterval: 50 };
  const http = createServer({ ...httpServerOptions, ...limits }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const access = createAccess({ run: 'test', token });
  const channels = createChannelServer({ server: http, access, maxFrameBytes: 1, onChannel: () => {} });
  const [slow, silent] = [0, 1].map(() => connect((http.address() as AddressInfo).port, '127.0.0.1'));
  if (!slow || !silent) throw new Error('expected two sockets');
  const ended = [slow, silent].map((socket) => once(socket.on('error', () => {}).resume(), 'close'));
  slow.write('GET /join HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ');
  const dripping = setInterval(() => slow.write('x'), 10);
  await Promise.all(ended);
  clearInterval(dripping);
  await channels.close();
  http.close();
});

test('new connections a second are limited by address', async () => {
  await using server = await startServer({ maxNewPerSecond: 5 });
  const sockets = Array.from({ length: 20 }, () => connect(server.port, '127.0.0.1').on('error', () => {}));
  let dropped = 0;
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.resume().on('close', () => {
        dropped += 1;
        if (dropped === 12) resolve();
      });
    }
  });
  for (const socket of sockets) socket.destroy();
});

test('what a client says when it goes cannot write on a terminal', async () => {
  await using server = await startServer();
  const accepted = server.nextChannel();
  const socket = openSocket(server.port, ['gradwire'], { headers: bearer });
  await once(socket, 'open');
  const channel = await accepted;
  socket.close(4000, 'bye\u001b[2J\u001b]0;owned\u0007\r\nforged: line');
  expect((await channel.closed).reason).toBe('bye\ufffd]0;owned\ufffd forged: line');
});
