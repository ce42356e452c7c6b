import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChunkCache } from '@gradwire/data/node';
import { createAccess, proofHeader, refuseRequest } from '@gradwire/transport';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BlobFetcher, createBlobFetcher } from './blob-fetcher.ts';

const token = 'a-token-of-tests';
const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const chunk = Buffer.from('forty bytes of samples that are fetched.');
const sha256 = sha256Of(chunk);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-blobs-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface DataServer extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
}

async function listen(server: Server): Promise<DataServer> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.length;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A coordinator that asks for the token, and then gives data in its own way. */
function startServer(give: (response: ServerResponse, count: number) => void): Promise<DataServer> {
  const access = createAccess({ run: 'test', token });
  let count = 0;
  const server = createServer((request, response) => {
    const answer = access.check(request, 'worker');
    if ('status' in answer) return refuseRequest(response, answer);
    count += 1;
    give(response.setHeader(proofHeader, answer.proof ?? ''), count);
  });
  return listen(server);
}

function fetcherFor({ port }: DataServer, silenceMs: number): BlobFetcher {
  return createBlobFetcher({
    source: { url: `ws://127.0.0.1:${port}`, token },
    cache: createChunkCache(folder),
    signal: new AbortController().signal,
    onCacheProblem: () => undefined,
    silenceMs,
  });
}

test.each([
  ['from the start', () => listen(createTcpServer())],
  ['when it was asked', () => startServer(() => undefined)],
  ['in the middle', () => startServer((response) => response.write(chunk.subarray(0, 20)))],
])(
  'a coordinator that falls silent %s has gone: it is asked no more',
  async (_, start) => {
    await using server = await start();
    await expect(fetcherFor(server, 200).fetch(sha256)).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('no answer in time') as string,
    });
    expect(server.connections).toBe(1);
  },
  20_000,
);

test('connections that were idle when the cable was pulled are not used again', async () => {
  const other = Buffer.from('what is fetched later');
  const waiting: ServerResponse[] = [];
  const cut = new Set<Socket | null>();
  await using server = await startServer((response) => {
    if (cut.has(response.socket)) return;
    if (cut.size > 0) return response.end(other);
    waiting.push(response);
    // Two at once, so that there are two connections.
    if (waiting.length === 2) for (const each of waiting) each.end(chunk);
  });
  const fetcher = fetcherFor(server, 1_000);
  await Promise.all([fetcher.fetch(sha256), fetcher.fetch(sha256)]);
  for (const { req } of waiting) cut.add(req.socket);
  await expect(fetcher.fetch(sha256Of(other))).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  expect(await fetcher.fetch(sha256Of(other))).toEqual(other);
});

test('a slow coordinator has as long as it needs', async () => {
  await using server = await startServer((response) => {
    const bytes = [...chunk];
    const timer = setInterval(() => {
      const next = bytes.shift();
      if (next !== undefined) return response.write(Uint8Array.of(next));
      clearInterval(timer);
      return response.end();
    }, 50);
  });
  // All of it takes two seconds at least.
  expect(await fetcherFor(server, 1_500).fetch(sha256)).toEqual(chunk);
});

test.each<[string, (response: ServerResponse) => void]>([
  ['a connection that breaks', (response) => response.destroy()],
  ['a chunk that was damaged', (response) => response.end('something else')],
])('%s is tried again', async (_, fail) => {
  await using server = await startServer((response, count) => {
    if (count === 1) fail(response);
    else response.end(chunk);
  });
  const fetcher = fetcherFor(server, 60_000);
  expect(await fetcher.fetch(sha256)).toEqual(chunk);
  expect(fetcher.fetchedBytes).toBe(chunk.length);
});
