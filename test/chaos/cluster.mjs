import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGradwire } from '../bench/measure/gradwire.mjs';

/**
 * A real coordinator and real workers, each a process of its own, that can be harmed. `links` puts every worker on a
 * host of its own. Everything is killed and removed by `remove`.
 */
export async function startCluster({ args, workers, links, firstPlace = 1 }) {
  const folder = await mkdtemp(join(tmpdir(), 'gradwire-chaos-'));
  const token = randomBytes(12).toString('hex');
  const state = {
    events: [],
    watchers: new Set(),
    processes: new Set(),
    members: new Map(),
    port: 0,
    started: 0,
  };
  const listenArgs = ['--host', links ? '0.0.0.0' : '127.0.0.1', '--token', token, '--run-dir', folder];

  const startCoordinator = async (more) => {
    const port = ['--port', `${state.port}`];
    const process = start(state, ['coordinator', ...more, ...listenArgs, ...port], links?.coordinatorPrefix);
    state.coordinator = process;
    const from = state.events.length;
    state.reading = readEvents(state, process);
    const listening = await until(state, ({ event }) => event === 'listening', from);
    state.port = listening.port;
    state.directory ??= listening.directory;
  };
  await startCoordinator(args);

  const cluster = {
    state,
    /** The steps committed so far, each with `atMs`. */
    commits: () => state.events.filter(({ event }) => event === 'step'),
    members: state.members,
    until: (accepts, from = state.events.length) => until(state, accepts, from),
    /** Starts a worker under a new name on the host of `place`; resolves to its name. */
    async join(place) {
      const name = `w${++state.started}`;
      const way = (await links?.reach(state.port, place)) ?? { host: '127.0.0.1', port: state.port };
      const url = `ws://${way.host}:${way.port}#${token}`;
      const process = start(
        state,
        ['worker', url, '--name', name, '--threads', '1', '--backend', 'wasm'],
        way.prefix,
      );
      state.members.set(name, { place, process });
      return name;
    },
    /** Sends a signal to a worker; one that is killed is forgotten. Resolves to its place. */
    signal(name, signal) {
      const { place, process } = state.members.get(name);
      if (signal === 'SIGKILL') state.members.delete(name);
      process.child.kill(signal);
      return place;
    },
    /** Kills the coordinator without a warning, and starts it again from what it has written. */
    async restartCoordinator() {
      state.coordinator.child.kill('SIGKILL');
      await state.reading;
      await startCoordinator(['--resume', state.directory]);
    },
    /** Resolves at the end of the run to its summary. */
    async finished() {
      await until(state, ({ event }) => event === 'end', 0);
      await state.coordinator.ended;
      return JSON.parse(await readFile(join(state.directory, 'summary.json'), 'utf8'));
    },
    async remove() {
      for (const { child } of state.processes) {
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      }
      await Promise.allSettled([...state.processes].map(({ ended }) => ended));
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (let place = firstPlace; place < firstPlace + workers; place++) await cluster.join(place);
  return cluster;
}

function start(state, args, prefix = []) {
  const process = startGradwire(args, { prefix });
  // One that ends by itself and with an error is a finding, and nobody should wait for it.
  process.ended.catch((error) => {
    state.failure ??= error;
    for (const watcher of state.watchers) watcher();
  });
  state.processes.add(process);
  return process;
}

async function readEvents(state, { lines }) {
  try {
    for await (const line of lines) {
      state.events.push(line);
      for (const watcher of state.watchers) watcher();
    }
  } catch {
    // It ended with an error, which `start` has noted.
  }
}

/** The first event from index `from` on that `accepts` accepts; undefined once the run is over. */
function until(state, accepts, from) {
  return new Promise((resolve, reject) => {
    let next = from;
    const look = () => {
      for (; next < state.events.length; next++) {
        const line = state.events[next];
        if (accepts(line) || line.event === 'end') return settle(resolve, accepts(line) ? line : undefined);
      }
      if (state.failure) settle(reject, state.failure);
    };
    const settle = (how, value) => {
      state.watchers.delete(look);
      how(value);
    };
    state.watchers.add(look);
    look();
  });
}
