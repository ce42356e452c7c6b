import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { startShapedLink } from './shaped-link.ts';

/** Echoes everything. */
async function startEcho(): Promise<{ port: number; close(): void }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test('every byte arrives, in order, and not before the link lets it', async () => {
  const echo = await startEcho();
  const rates = { downBitsPerSecond: 80e6, upBitsPerSecond: 40e6, roundTripMs: 20 };
  await using link = await startShapedLink(echo.port, rates);
  const socket = connect(link.port, '127.0.0.1');
  const sent = Buffer.from(Uint8Array.from({ length: 500_000 }, (_, i) => (i * i) % 251));
  const startMs = performance.now();
  socket.end(sent);
  const received: Buffer[] = [];
  for await (const chunk of socket) received.push(chunk as Buffer);
  const tookMs = performance.now() - startMs;
  expect(Buffer.concat(received).equals(sent)).toBe(true);
  // Half a megabyte takes 100 ms up, and the last of it is on the way for 20 ms; a timer may be a millisecond early.
  expect(tookMs).toBeGreaterThan(115);
  echo.close();
});

test('closing ends what is open', async () => {
  const echo = await startEcho();
  const link = await startShapedLink(echo.port, {
    downBitsPerSecond: 1e6,
    upBitsPerSecond: 1e6,
    roundTripMs: 1,
  });
  const socket = connect(link.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  await link[Symbol.asyncDispose]();
  if (!socket.destroyed) await once(socket, 'close');
  echo.close();
});
