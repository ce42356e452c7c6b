import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A relay on the loopback address that counts what a worker and its coordinator at `port` send to each other. */
export async function startByteCounter(port) {
  const bytes = { up: 0, down: 0 };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.on('data', (chunk) => (bytes.up += chunk.length));
    far.on('data', (chunk) => (bytes.down += chunk.length));
    near.pipe(far).pipe(near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ])
      socket.on('error', () => other.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: server.address().port, bytes, close: () => server.close() };
}
