import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Link } from './link.ts';

/** A slow link to a port of this machine, made in software. */
export interface ShapedLink extends AsyncDisposable {
  readonly port: number;
}

// What a sender keeps in its buffers, besides what fits on the way.
const bufferBytes = 262_144;

/** Listens on a free port of the loopback address and passes everything on to `port`, as late as `link` would. */
export async function startShapedLink(port: number, link: Link): Promise<ShapedLink> {
  const sockets = new Set<Socket>();
  // One direction may end while the other still carries something.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => sockets.delete(socket));
    }
    passOn(near, far, { bitsPerSecond: link.upBitsPerSecond, delayMs: link.roundTripMs / 2 });
    passOn(far, near, { bitsPerSecond: link.downBitsPerSecond, delayMs: link.roundTripMs / 2 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Direction {
  readonly bitsPerSecond: number;
  readonly delayMs: number;
}

function passOn(from: Socket, to: Socket, { bitsPerSecond, delayMs }: Direction): void {
  /** What is on its way, in order: timers of one millisecond may fire in any. */
  const queue: (() => void)[] = [];
  const maxQueuedBytes = bufferBytes + (bitsPerSecond * delayMs) / 8000;
  let freeAtMs = 0;
  let queuedBytes = 0;
  const later = (bytes: number, arrive: () => void): void => {
    const nowMs = performance.now();
    freeAtMs = Math.max(freeAtMs, nowMs) + (8000 * bytes) / bitsPerSecond;
    queue.push(arrive);
    setTimeout(() => queue.shift()?.(), freeAtMs + delayMs - nowMs);
  };
  from.on('data', (chunk) => {
    queuedBytes += chunk.length;
    if (queuedBytes > maxQueuedBytes) from.pause();
    later(chunk.length, () => {
      queuedBytes -= chunk.length;
      if (queuedBytes <= maxQueuedBytes) from.resume();
      if (!to.destroyed) to.write(chunk);
    });
  });
  from.on('end', () => later(0, () => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => later(0, () => to.destroy()));
}
