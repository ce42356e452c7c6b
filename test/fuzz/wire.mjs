import { connect } from 'node:net';
import { createCoordinatorClient, observerToken } from '@gradwire/transport';
import { startCoordinator } from './coordinator.mjs';

/** Longest time that a connection which is ended by its other side may stay open. */
const patienceMs = 10_000;
/** So many connections, and the coordinator must still answer. */
const checkEvery = 200;

/** A coordinator that is sent bytes over sockets, and must stay as it is. */
export async function startVictim() {
  const token = 'a-token-of-the-fuzzer';
  const unbounded = { maxNewPerSecond: 1e9 };
  const run = await startCoordinator({ token, limits: unbounded });
  const { port } = run.coordinator;
  const options = { url: `ws://127.0.0.1:${port}`, token: observerToken(token), role: 'observer' };
  const client = createCoordinatorClient(options);
  let cases = 0;
  return {
    token,
    /** Sends the bytes over a connection of its own, and ends it; resolves to what came back. */
    async send(bytes) {
      const socket = connect(port, '127.0.0.1');
      const pieces = [];
      socket.on('data', (piece) => pieces.push(piece));
      // That it is reset is an answer too.
      socket.on('error', () => undefined);
      const closed = new Promise((resolve, reject) => {
        const tooLate = setTimeout(() => reject(new Error('the connection stays open')), patienceMs);
        socket.once('close', () => resolve(clearTimeout(tooLate)));
      });
      socket.end(bytes);
      await closed;
      if (run.defects.length > 0) throw new Error(`the coordinator reported a defect: ${run.defects[0]}`);
      if (run.isOver) throw new Error('the run has ended');
      if (++cases % checkEvery === 0) JSON.parse(Buffer.from(await client.request({ path: '/status' })));
      return Buffer.concat(pieces);
    },
    close: () => run.close(),
  };
}
