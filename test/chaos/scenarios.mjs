import { setTimeout as delay } from 'node:timers/promises';
import { hasOption } from '../bench/measure/gradwire.mjs';

// What is done to a run of three workers. Each `disturb(cluster, { random, over, scale })` may return figures;
// `over` is aborted when the run has ended, and `scale` shortens the pauses where there is little time.

const isStep = ({ event }) => event === 'step';
const isReady = (name) => (line) => line.event === 'worker-ready' && line.worker === name;

export const scenarios = {
  calm: { what: 'nothing', disturb: async () => undefined },

  kill: {
    what: 'one of three workers killed every 5 s and replaced',
    async disturb(cluster, { random, over, scale }) {
      const pauses = [];
      await cluster.until(isStep, 0);
      while (await sleep(5_000 * scale, over)) {
        const name = pick(random, [...cluster.members.keys()]);
        pauses.push(await pauseAfter(cluster, () => replace(cluster, name)));
        // Where starting takes longer than the pause, nobody would be left.
        await cluster.until(isReady(`w${cluster.state.started}`), 0);
      }
      return { pauses };
    },
  },

  coordinator: {
    what: 'the coordinator killed five times and resumed',
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
      if (pauses.length < 5) throw new Error(`the coordinator was killed ${pauses.length} times only`);
      return { pauses };
    },
  },

  link: {
    what: '5 Mbit/s with 100 ms round trip and 2 % loss',
    link: { megabits: 5, roundTripMs: 100, loss: 0.02 },
    disturb: async () => undefined,
  },

  stop: {
    what: 'one worker stopped (SIGSTOP) for 20 s',
    async disturb(cluster, { random, over, scale }) {
      await cluster.until(isStep, 0);
      await sleep(500 + 1_000 * random(), over);
      const name = pick(random, [...cluster.members.keys()]);
      const pauses = [
        await pauseAfter(
          cluster,
          () => cluster.signal(name, 'SIGSTOP'),
          async () => {
            await sleep(20_000 * scale, over);
            cluster.signal(name, 'SIGCONT');
          },
        ),
      ];
      return { pauses };
    },
  },

  slow: {
    what: 'one worker at a quarter of its speed (stopped 150 ms in each 200)',
    async disturb(cluster, { random, over }) {
      await cluster.until(isStep, 0);
      const name = pick(random, [...cluster.members.keys()]);
      while (!over.aborted) {
        cluster.signal(name, 'SIGSTOP');
        await sleep(150, over);
        cluster.signal(name, 'SIGCONT');
        await sleep(50, over);
      }
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
      return { pauses };
    },
  },

  mixed: {
    what: 'a seeded mixture: kills, stops of up to 5 s, joins and leaves',
    async disturb(cluster, { random, over, scale }) {
      const fired = {};
      await cluster.until(isStep, 0);
      while (await sleep((500 + 3_000 * random()) * scale, over)) {
        const kind = pick(random, ['kill', 'stop', 'leave', 'join', 'kill']);
        const name = pick(random, [...cluster.members.keys()]);
        fired[kind] = (fired[kind] ?? 0) + 1;
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
      return { fired };
    },
  },
};

/** Kills a worker, and starts another in its place; resolves to its name. */
function replace(cluster, name) {
  return cluster.join(cluster.signal(name, 'SIGKILL'));
}

/** False if the run ended before. */
async function sleep(ms, over) {
  await delay(ms, undefined, { signal: over }).catch(() => undefined);
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
