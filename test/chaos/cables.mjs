import { startRelay } from './relay.mjs';

/**
 * A cable of its own from each worker to the coordinator, which can be pulled: nothing passes any more, and nobody is
 * told. The same interface as `createLinks`, but without root.
 */
export function createCables() {
  const cables = new Map();
  let target = 0;
  const plugIn = async () => {
    const cable = { isPulled: false };
    cable.relay = await startRelay(
      () => target,
      (from, to) => pass(cable, from, to),
    );
    return cable;
  };
  return {
    async reach(port, place) {
      target = port;
      if (!cables.has(place)) cables.set(place, await plugIn());
      return { host: '127.0.0.1', port: cables.get(place).relay.port, prefix: [] };
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
      for (const socket of cable.relay.sockets) socket.destroy();
    },
    async remove() {
      for (const { relay } of cables.values()) relay.remove();
    },
  };
}

function pass(cable, from, to) {
  from.on('data', (chunk) => cable.isPulled || to.write(chunk));
  from.on('close', () => cable.isPulled || to.destroy());
}
