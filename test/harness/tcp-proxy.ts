import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** A cable between a worker and its coordinator that can be cut. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections made so far. */
  readonly connections: number;
  /** Bytes passed on so far: `up` from those who connected here. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Breaks all connections that are open now, without a goodbye. New ones are let through. */
  cut(): void;
  /** New connections go to another port from now on. */
  point(port: number): void;
  /** Passes nothing on any more over the connections that are open now, and tells nobody: no FIN, no reset. */
  freeze(): void;
}

/**
 * Listens on a free port of the loopback address and passes everything on to `firstPort`.
 *
 * @param bitsPerSecond - each way; default: as quickly as it goes.
 */
export async function startTcpProxy(firstPort: number, bitsPerSecond?: number): Promise<TcpProxy> {
  let port = firstPort;
  const sockets = new Set<Socket>();
  let connections = 0;
  const bytes = { up: 0, down: 0 };
  const server = createServer((near) => {
    connections += 1;
    const far = connect(port, '127.0.0.1');
    near.on('data', (chunk) => (bytes.up += chunk.length));
    far.on('data', (chunk) => (bytes.down += chunk.length));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      if (bitsPerSecond === undefined) socket.pipe(other);
      else socket.pipe(narrow(bitsPerSecond)).pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        // What is still on its way through a narrow one arrives, and then the end.
        if (bitsPerSecond === undefined || !socket.readableEnded) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    bytes,
    cut,
    point(next) {
      port = next;
    },
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Lets so much through. */
function narrow(bitsPerSecond: number): Transform {
  return new Transform({
    transform: (chunk: Buffer, _, done) =>
      void setTimeout(() => done(null, chunk), (8000 * chunk.length) / bitsPerSecond),
  });
}
