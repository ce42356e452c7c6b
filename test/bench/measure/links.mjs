// Machines of their own on one machine: network namespaces, joined by cables that are as slow as wanted. Linux, root.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Skipped } from './alternate.mjs';
import { startLineProcess } from './line-process.mjs';

const relay = fileURLToPath(new URL('../contestants/delay-relay.mjs', import.meta.url));

/**
 * Makes a host for the coordinator and one for each worker, each of these joined to it by a cable of its own with
 * `megabits` a second each way and `roundTripMs`; with a round trip also `loss`, a share of the packets by `seed`.
 * Throws Skipped where that cannot be. Take them away with `remove`.
 */
export function createLinks(workers, { megabits, roundTripMs = 0, loss = 0, seed = 1 }) {
  if (process.platform !== 'linux' || process.getuid() !== 0)
    throw new Skipped('network namespaces need Linux and root');
  const id = randomBytes(3).toString('hex');
  const names = Array.from({ length: workers + 1 }, (_, host) => `gradwire-${id}-${host}`);
  const relays = [];
  const remove = async () => {
    await Promise.all(relays.map(({ stop }) => stop()));
    for (const name of names) attempt(() => ip('netns', 'del', name));
  };
  try {
    for (const name of names) ip('netns', 'add', name);
    for (const name of names) ip('-n', name, 'link', 'set', 'lo', 'up');
    for (let worker = 1; worker <= workers; worker++) {
      const devices = plugIn(worker, { near: names[0], far: names[worker], id });
      for (const [name, device] of devices) limitRate(name, device, megabits);
    }
  } catch (error) {
    void remove();
    throw error;
  }
  const prefixOf = (host) => ['ip', 'netns', 'exec', names[host]];
  return {
    coordinatorPrefix: prefixOf(0),
    /** How a worker gets to the coordinator's port: `{ host, port, prefix }`. */
    async reach(port, worker) {
      const prefix = prefixOf(worker);
      const direct = { host: addressOf(worker, 1), port, prefix };
      if (roundTripMs === 0) return direct;
      const command = [
        ...prefix,
        process.execPath,
        relay,
        direct.host,
        port,
        roundTripMs / 2,
        loss,
        seed + worker,
      ];
      const [program, ...args] = command.map(String);
      const started = await startLineProcess({ program, args });
      relays.push(started);
      return { host: '127.0.0.1', port: started.first.ready, prefix };
    },
    /** Cuts a worker's cable, or mends it: nobody is told, packets just vanish. */
    pull: (worker) => ip('-n', names[worker], 'link', 'set', deviceOf(id, worker, 1), 'down'),
    /** Packets that were lost so far. */
    async lost() {
      const counts = await Promise.all(relays.map(({ ask }) => ask({})));
      return counts.reduce((sum, { lost }) => sum + lost, 0);
    },
    mend: (worker) => ip('-n', names[worker], 'link', 'set', deviceOf(id, worker, 1), 'up'),
    remove,
  };
}

/** Joins two hosts by a cable; returns name and device of both ends. */
function plugIn(worker, { near, far, id }) {
  const ends = [near, far].map((name, side) => [name, deviceOf(id, worker, side)]);
  const [[, a], [, b]] = ends;
  ip('link', 'add', a, 'netns', near, 'type', 'veth', 'peer', 'name', b, 'netns', far);
  for (const [side, [name, device]] of ends.entries()) {
    ip('-n', name, 'addr', 'add', `${addressOf(worker, side + 1)}/24`, 'dev', device);
    ip('-n', name, 'link', 'set', device, 'up');
  }
  return ends;
}

function deviceOf(id, worker, side) {
  return `gw${id}${worker}${'ab'[side]}`;
}

function addressOf(worker, side) {
  return `10.231.${worker}.${side}`;
}

/** Shapes what leaves a device. Not by netem, which many kernels lack: a relay on the worker's host makes the delay. */
function limitRate(name, device, megabits) {
  const shape = ['tbf', 'rate', `${megabits}mbit`, 'burst', '256kb', 'latency', '50ms'];
  run('tc', '-n', name, 'qdisc', 'add', 'dev', device, 'root', ...shape);
}

function ip(...args) {
  run('ip', ...args);
}

function run(program, ...args) {
  try {
    execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new Skipped(`the command ${program} is not installed (package iproute2)`);
    throw error;
  }
}

function attempt(task) {
  try {
    task();
  } catch {
    // It was not made.
  }
}
