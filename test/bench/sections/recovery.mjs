import { createCoordinatorClient } from '@gradwire/transport';
import { setTimeout as delay } from 'node:timers/promises';
import { createCables } from '../../chaos/cables.mjs';
import { startCluster } from '../../chaos/cluster.mjs';
import { randomOf } from '../../chaos/random.mjs';
import { median } from '../measure/statistics.mjs';
import { number, table } from '../measure/table.mjs';

export const title = 'Recovery';

const workers = 3;
/** What a worker has contributed to before it is lost: its speed is known. */
const settledSteps = 30;
/** Commits around the loss in which the longest pause is looked for. */
const watchedSteps = 10;

export async function run({ quick, rounds = quick ? 3 : 20, say }) {
  const results = await loseWorkers({ rounds, say, isPulled: false });
  const cables = await loseWorkers({ rounds, say, isPulled: true });
  return { unit: 'ms', results, cables };
}

/** Loses one worker after the other in one run: killed, or its cable pulled, at any moment of a step. */
async function loseWorkers({ rounds, say, isPulled }) {
  const links = createCables();
  const args = ['--recipe', 'mnist-cnn', '--epochs', '1000'];
  const cluster = await startCluster({ args, workers, links });
  const random = randomOf(1);
  const losses = [];
  try {
    const url = `ws://127.0.0.1:${cluster.state.port}`;
    const client = createCoordinatorClient({ url, token: cluster.token, role: 'observer' });
    const ask = async () => JSON.parse(Buffer.from(await client.request({ path: '/status' })).toString());
    for (let round = 1; round <= rounds; round++) {
      const [name] = cluster.members.keys();
      await settled(cluster);
      const stepMs = usualStep(cluster.commits().slice(-settledSteps));
      await delay(random() * stepMs);
      const from = cluster.commits().length;
      const { place } = cluster.members.get(name);
      if (isPulled) links.pull(place);
      else cluster.signal(name, 'SIGKILL');
      const deadlineMs = await watch({ cluster, from, name, ask: isPulled ? ask : undefined });
      const gaps = gapsOf(cluster.commits().slice(from - 1, from + watchedSteps));
      losses.push({ stepMs, pauseMs: Math.max(...gaps), ...(isPulled && { deadlineMs }) });
      say(
        `${isPulled ? 'cable' : 'kill'} ${round} of ${rounds}: a pause of ${number(losses.at(-1).pauseMs)} ms`,
      );
      if (isPulled) cluster.signal(name, 'SIGKILL');
      links.mend(place);
      await cluster.join(place);
    }
  } finally {
    await cluster.remove();
    await links.remove();
  }
  return losses;
}

/** Resolves once every worker has contributed for a while. */
async function settled(cluster) {
  const counts = new Map([...cluster.members.keys()].map((name) => [name, 0]));
  while ([...counts.values()].some((count) => count < settledSteps)) {
    const { record } = await cluster.until(({ event }) => event === 'step');
    for (const name of new Set(record.contributions.map(({ worker }) => worker))) {
      if (counts.has(name)) counts.set(name, counts.get(name) + 1);
    }
  }
}

/** Waits for the steps after a loss. With `ask`: resolves to how long the lost worker's lease was waited for. */
async function watch({ cluster, from, name, ask }) {
  let deadlineMs;
  while (cluster.commits().length < from + watchedSteps) {
    if (ask === undefined) await cluster.until(({ event }) => event === 'step');
    else {
      const { outstanding } = await ask();
      const lease = outstanding.find(({ owner, dueMs }) => owner === name && dueMs !== undefined);
      if (lease) deadlineMs = lease.dueMs - lease.sinceMs;
      await delay(10);
    }
  }
  return deadlineMs;
}

function usualStep(commits) {
  return median(gapsOf(commits));
}

function gapsOf(commits) {
  return commits.slice(1).map(({ atMs }, i) => atMs - commits[i].atMs);
}

export function report({ results, cables = [] }) {
  const limits = {
    killed: ({ stepMs }) => 2 * stepMs + 1_000,
    'cable pulled': ({ stepMs, deadlineMs }) => deadlineMs + 2 * stepMs,
  };
  const rows = Object.entries({ killed: results, 'cable pulled': cables }).map(([how, losses]) => {
    const pauses = losses.map(({ pauseMs }) => pauseMs);
    const within = losses.filter((loss) => loss.pauseMs <= limits[how](loss)).length;
    return [
      how,
      losses.length,
      number(median(losses.map(({ stepMs }) => stepMs))),
      number(median(losses.flatMap(({ deadlineMs }) => deadlineMs ?? []))),
      number(median(pauses)),
      losses.length > 0 ? number(Math.max(...pauses)) : '',
      `${within} of ${losses.length}`,
    ];
  });
  const head = [
    'one worker',
    'times',
    'usual step, median ms',
    'its deadline, median ms',
    'pause, median ms',
    'pause, worst ms',
    'within the limit',
  ];
  return [
    `One of ${workers} workers of \`mnist-cnn\` is lost at any moment of a step: the longest time between two commits around it. The limit is two usual steps and a second for one that was killed (its connection breaks); for one whose cable was pulled (nobody is told) the deadline of its lease and two usual steps.`,
    table([head, ...rows]),
  ].join('\n\n');
}
