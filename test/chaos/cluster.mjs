import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGradwire } from '../bench/measure/gradwire.mjs';

/**
 * A real coordinator and real workers, each a process of its own, that can be harmed. `links` puts every worker on a
 * line of its own. A worker that ends with an error is a finding, unless `replaces`: then another takes its place.
 * `workerArgs` is told a folder for caches. Everything is killed and removed by `remove`.
 */
export async function startCluster(options) {
  const { args, workers, links, workerArgs = () => [], replaces = false, firstPlace = 1 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'gradwire-chaos-'));
  const token = randomBytes(12).toString('hex');
  const state = {
    events: [],
    watchers: new Set(),
    processes: new Set(),
    members: new Map(),
    port: 0,
    started: 0,
    /** Why workers gave up that were replaced. */
    gaveUp: [],
    isOver: false,
  };
  const cache = join(folder, 'cache');
  const host = links?.coordinatorPrefix ? '0.0.0.0' : '127.0.0.1';
  const listenArgs = ['--host', host, '--token', token, '--run-dir', folder];

  const startCoordinator = async (more) => {
    const port = ['--port', `${state.port}`];
    const process = start(state, ['coordinator', ...more, ...listenArgs, ...port], {
      prefix: links?.coordinatorPrefix,
    });
    state.coordinator = process;
    const from = state.events.length;
    state.reading = readEvents(state, process, state.events);
    const listening = await until(state, ({ event }) => event === 'listening', from);
    state.port = listening.port;
    state.directory ??= listening.directory;
  };
  await startCoordinator(args);

  const cluster = {
    state,
    cache,
    token,
    /** The steps committed so far, each with `atMs`. */
    commits: () => state.events.filter(({ event }) => event === 'step'),
    members: state.members,
    until: (accepts, from = state.events.length) => until(state, accepts, from),
    /** Starts a worker under a new name on the host of `place`; resolves to its name. */
    async join(place) {
      const name = `w${++state.started}`;
      const way = (await links?.reach(state.port, place)) ?? { host: '127.0.0.1', port: state.port };
      const url = `ws://${way.host}:${way.port}#${token}`;
      const own = ['--name', name, '--threads', '1', '--backend', 'wasm', ...workerArgs(cache)];
      const onFailure = (error) => {
        state.members.delete(name);
        state.gaveUp.push(error.message);
        if (!state.isOver) cluster.join(place).catch((second) => fail(state, second));
      };
      const process = start(state, ['worker', url, ...own], {
        prefix: way.prefix,
        ...(replaces && { onFailure }),
      });
      const events = [];
      void readEvents(state, process, events);
      state.members.set(name, { place, process, events });
      return name;
    },
    /** The first event of a worker that `accepts` accepts; undefined once the run is over. */
    heard: (name, accepts) => until(state, accepts, 0, state.members.get(name).events),
    /** Sends a signal to a worker; one that is killed is forgotten. Resolves to its place. */
    signal(name, signal) {
      const { place, process } = state.members.get(name);
      if (signal === 'SIGKILL') state.members.delete(name);
      process.child.kill(signal);
      return place;
    },
    /** Kills the coordinator without a warning, and starts it again from what it has written, after `between`; on another port if it is to be `elsewhere`. */
    async restartCoordinator({ between, elsewhere = false } = {}) {
      state.coordinator.child.kill('SIGKILL');
      await state.reading;
      await between?.();
      if (elsewhere) state.port = 0;
      await startCoordinator(['--resume', state.directory]);
    },
    /** Resolves at the end of the run to its summary. */
    async finished() {
      await until(state, ({ event }) => event === 'end', 0);
      await state.coordinator.ended;
      return JSON.parse(await readFile(join(state.directory, 'summary.json'), 'utf8'));
    },
    async remove() {
      state.isOver = true;
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

function start(state, args, { prefix, onFailure = (error) => fail(state, error) }) {
  const process = startGradwire(args, { prefix });
  process.ended.catch(onFailure);
  state.processes.add(process);
  return process;
}

/** Nobody should wait for what is not coming any more. */
function fail(state, error) {
  state.failure ??= error;
  wake(state);
}

function wake({ watchers }) {
  for (const watcher of watchers) watcher();
}

async function readEvents(state, { lines }, events) {
  try {
    for await (const line of lines) {
      events.push(line);
      wake(state);
    }
  } catch {
    // It ended with an error, which `start` has noted.
  }
}

/** The first event from index `from` on that `accepts` accepts; undefined once the run is over. */
function until(state, accepts, from, events = state.events) {
  return new Promise((resolve, reject) => {
    let next = from;
    const look = () => {
      for (; next < events.length; next++) if (accepts(events[next])) return settle(resolve, events[next]);
      if (state.events.at(-1)?.event === 'end') return settle(resolve, undefined);
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
