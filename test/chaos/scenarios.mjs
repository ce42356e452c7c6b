import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { hasOption } from '../bench/measure/gradwire.mjs';
import { cachedChunks, flipBit, newestSnapshot } from './damage.mjs';

// What is done to a run of three workers. Each `disturb(cluster, { random, over, scale })` returns how often each kind of
// harm was done while the run went on, and the pauses that it made; `over` is aborted when the run has ended, and `scale`
// shortens the times where there is little of it. `least`: with less harm than this the scenario has shown nothing.

const isEvent = (type) => (line) => line.event === type;
const isStep = ({ event }) => event === 'step';
const isReady = (name) => (line) => line.event === 'worker-ready' && line.worker === name;

/** Scenarios that belong together, with steps long enough that the shortest of them is harmed often. */
export const sets = {
  'one-hash': {
    names: ['calm', 'kill', 'coordinator', 'link', 'stop'],
    batchSize: 2048,
    steps: 120,
  },
};

export const scenarios = {
  calm: { what: 'nothing', least: 0, disturb: async () => ({}) },

  kill: {
    what: 'one of three workers killed every 5 s and replaced',
    async disturb(cluster, { random, over, scale }) {
      const pauses = [];
      await cluster.until(isStep, 0);
      for (let dueMs = performance.now(); ; ) {
        dueMs += 5_000 * scale;
        if (!(await sleep(dueMs - performance.now(), over))) break;
        const name = pick(random, [...cluster.members.keys()]);
        pauses.push(await pauseAfter(cluster, () => replace(cluster, name)));
        // Where starting takes longer than the pause, nobody would be left.
        await cluster.until(isReady(`w${cluster.state.started}`), 0);
      }
      return { faults: { kills: count(pauses) }, pauses };
    },
  },

  coordinator: {
    what: 'the coordinator killed (kill -9) five times and resumed',
    least: 5,
    missing: () =>
      hasOption('coordinator', '--resume') ? undefined : 'gradwire coordinator has no --resume',
    async disturb(cluster, { random, over, totalSteps }) {
      const pauses = [];
      for (let time = 1; time <= 5 && !over.aborted; time++) {
        const at = Math.floor((totalSteps * (time - 0.3 + 0.3 * random())) / 5.5);
        const seen = await cluster.until((line) => isStep(line) && line.record.step >= at, 0);
        if (seen === undefined) break;
        pauses.push(await pauseAfter(cluster, () => cluster.restartCoordinator()));
      }
      return { faults: { kills: count(pauses) }, pauses };
    },
  },

  away: {
    what: 'the coordinator killed, away for a minute, and then on another port behind the same address, twice',
    least: 2,
    cables: true,
    async disturb(cluster, { over, links, scale, totalSteps }) {
      const pauses = [];
      for (const share of [0.3, 0.6]) {
        await cluster.until((line) => isStep(line) && line.record.step >= share * totalSteps, 0);
        const restart = async () => {
          await cluster.restartCoordinator({ between: () => sleep(60_000 * scale, over), elsewhere: true });
          links.point(cluster.state.port);
        };
        pauses.push(await pauseAfter(cluster, restart));
      }
      return { faults: { absences: count(pauses) }, pauses };
    },
  },

  link: {
    what: '5 Mbit/s with 100 ms round trip and 2 % loss',
    link: { megabits: 5, roundTripMs: 100, loss: 0.02 },
    async disturb(_, { over, links }) {
      await once(over, 'abort');
      return { faults: { 'lost packets': await links.lost() } };
    },
  },

  stop: {
    what: 'one worker stopped (SIGSTOP) for 20 s',
    async disturb(cluster, { random, over, scale }) {
      await cluster.until(isStep, 0);
      await sleep(500 + 1_000 * random(), over);
      const name = pick(random, [...cluster.members.keys()]);
      let stops = 0;
      const pauses = [
        await pauseAfter(
          cluster,
          () => cluster.signal(name, 'SIGSTOP'),
          async () => {
            // One that the end of the run cuts short was none.
            stops += (await sleep(20_000 * scale, over)) ? 1 : 0;
            cluster.signal(name, 'SIGCONT');
          },
        ),
      ];
      return { faults: { stops }, pauses };
    },
  },

  slow: {
    what: 'one worker at a quarter of its speed (stopped 150 ms in each 200)',
    async disturb(cluster, { random, over }) {
      await cluster.until(isStep, 0);
      const name = pick(random, [...cluster.members.keys()]);
      let stops = 0;
      for (; !over.aborted; stops++) {
        cluster.signal(name, 'SIGSTOP');
        await sleep(150, over);
        cluster.signal(name, 'SIGCONT');
        await sleep(50, over);
      }
      return { faults: { stops } };
    },
  },

  cable: {
    what: "one worker's cable pulled every 10 s, the worker replaced and the cable put back",
    link: { megabits: 100 },
    async disturb(cluster, { random, over, scale, links }) {
      const pauses = [];
      await cluster.until(isStep, 0);
      while (await sleep(10_000 * scale, over)) {
        const name = pick(random, [...cluster.members.keys()]);
        const { place } = cluster.members.get(name);
        pauses.push(await pauseAfter(cluster, () => links.pull(place)));
        cluster.signal(name, 'SIGKILL');
        links.mend(place);
        if (over.aborted) break;
        await cluster.until(isReady(await cluster.join(place)));
      }
      return { faults: { cuts: count(pauses) }, pauses };
    },
  },

  corrupt: {
    what: 'bits flipped and pieces lost or doubled on the wire; a bit flipped in the newest snapshot while the coordinator was killed, and one in each cached chunk while a worker was',
    least: 8,
    noise: { everyBytes: 100e6 },
    args: ['--snapshot-every', '20'],
    workerArgs: (cache) => ['--fetch-data', '--cache-dir', cache],
    async disturb(cluster, { random, over, links: noise }) {
      noise.start();
      for (let snapshots = 0; snapshots < 3; snapshots++) {
        const taken = await cluster.until(isEvent('snapshot'));
        if (taken === undefined) throw new Error('the run was over before there were three snapshots');
      }
      const damaged = { 'damaged snapshots': 1, 'damaged chunks': 0 };
      const from = cluster.state.events.length;
      let snapshot;
      const pause = await pauseAfter(cluster, () =>
        cluster.restartCoordinator({
          between: async () => {
            snapshot = await newestSnapshot(cluster.state.directory);
            await flipBit(snapshot, random);
          },
        }),
      );
      mustName(snapshot, cluster.state.events.slice(from));
      const chunks = await cachedChunks(cluster.cache);
      for (const chunk of chunks) await flipBit(chunk, random);
      damaged['damaged chunks'] = chunks.length;
      const name = await replace(cluster, pick(random, [...cluster.members.keys()]));
      const found = await cluster.heard(name, isEvent('problem'));
      if (!found?.message.includes('is damaged'))
        throw new Error(`no word of ${chunks.length} damaged chunks`);
      await once(over, 'abort');
      const gaveUp = cluster.state.gaveUp.length;
      return {
        faults: { ...noise.faults, ...damaged },
        pauses: [pause],
        ...(gaveUp > 0 && { gaveUp }),
        noticed: noticedBy(cluster.state.events),
      };
    },
  },

  mixed: {
    what: 'a seeded mixture: kills, stops of up to 5 s, joins and leaves',
    async disturb(cluster, { random, over, scale }) {
      const faults = {};
      await cluster.until(isStep, 0);
      while (await sleep((500 + 3_000 * random()) * scale, over)) {
        const kind = pick(random, ['kill', 'stop', 'leave', 'join', 'kill']);
        const name = pick(random, [...cluster.members.keys()]);
        faults[kind] = (faults[kind] ?? 0) + 1;
        if (kind === 'kill') await cluster.until(isReady(await replace(cluster, name)), 0);
        if (kind === 'join' && cluster.members.size < 5) await cluster.join(1);
        if (kind === 'leave' && cluster.members.size > 2) {
          cluster.signal(name, 'SIGTERM');
          cluster.members.delete(name);
        }
        if (kind !== 'stop') continue;
        cluster.signal(name, 'SIGSTOP');
        await sleep(5_000 * random() * scale, over);
        cluster.signal(name, 'SIGCONT');
      }
      return { faults };
    },
  },
};

/** Kills a worker, and starts another in its place; resolves to its name. */
function replace(cluster, name) {
  return cluster.join(cluster.signal(name, 'SIGKILL'));
}

/** Throws unless a damaged snapshot was named, and an earlier one taken. */
function mustName(snapshot, events) {
  const named = events.some(({ event, message }) => event === 'problem' && message.includes(snapshot));
  const resumed = events.find(isEvent('resumed'));
  const step = Number(/step-(\d+)/.exec(snapshot)[1]);
  if (!named || !(resumed?.step < step)) {
    throw new Error(`${snapshot} was damaged; named: ${named}, resumed from step ${resumed?.step}`);
  }
}

/** Why the coordinator ended connections, and how often, without the figures in the reasons. */
function noticedBy(events) {
  const reasons = {};
  for (const { event, why, reason } of events) {
    if (event !== 'worker-left' || why === 'ended') continue;
    const text = reason.replace(/\d[\d,]*/g, 'N');
    reasons[text] = (reasons[text] ?? 0) + 1;
  }
  return reasons;
}

/** Harms after which the run went on. */
function count(pauses) {
  return pauses.filter((pause) => pause !== undefined).length;
}

/** False if the run ended before. */
async function sleep(ms, over) {
  await delay(Math.max(0, ms), undefined, { signal: over }).catch(() => undefined);
  return !over.aborted;
}

function pick(random, list) {
  return list[Math.floor(random() * list.length)];
}

/** From the harm until the next commit: the step in progress is complete again. */
async function pauseAfter(cluster, harm, then) {
  const from = cluster.state.events.length;
  const startMs = performance.now();
  await harm();
  const after = then?.();
  const commit = await cluster.until((line) => isStep(line) && line.atMs > startMs, from);
  await after;
  return commit === undefined ? undefined : commit.atMs - startMs;
}
