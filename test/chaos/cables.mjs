import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * A cable of its own from each worker to the coordinator, which can be pulled: nothing passes any more, and nobody is
 * told. The same interface as `createLinks`, but without root.
 */
export function createCables() {
  const cables = new Map();
  let target = 0;
  const plugIn = async () => {
    const sockets = new Set();
    const cable = { sockets, isPulled: false };
    cable.server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ])
        pass(cable, from, to);
    }).listen(0, '127.0.0.1');
    await once(cable.server, 'listening');
    return cable;
  };
  return {
    async reach(port, place) {
      target = port;
      if (!cables.has(place)) cables.set(place, await plugIn());
      return { host: '127.0.0.1', port: cables.get(place).server.address().port, prefix: [] };
    },
    /** The coordinator is at another port, behind the same addresses. */
    point: (port) => (target = port),
    pull: (place) => {
      cables.get(place).isPulled = true;
    },
    /** New connections pass again; those of before are broken. */
    mend(place) {
      const cable = cables.get(place);
      cable.isPulled = false;
      for (const socket of cable.sockets) socket.destroy();
    },
    async remove() {
      for (const { server, sockets } of cables.values()) {
        for (const socket of sockets) socket.destroy();
        server.close();
      }
    },
  };
}

function pass(cable, from, to) {
  cable.sockets.add(from.setNoDelay(true));
  from.on('data', (chunk) => cable.isPulled || to.write(chunk));
  from.on('error', () => undefined);
  from.on('close', () => {
    cable.sockets.delete(from);
    if (!cable.isPulled) to.destroy();
  });
}
