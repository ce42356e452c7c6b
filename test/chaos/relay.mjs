import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * Listens on a free port of the loopback address; for each connection `pass(from, to)` is called in both directions, towards
 * the port that `target()` gives at that moment. Sockets are in `sockets` as long as they are open.
 */
export async function startRelay(target, pass) {
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(target(), '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket.setNoDelay(true));
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
    }
    pass(near, far);
    pass(far, near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return {
    port,
    sockets,
    remove() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
