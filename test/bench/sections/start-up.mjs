import { startCluster } from '../measure/cluster.mjs';
import { alternate } from '../measure/alternate.mjs';
import { arrangements, nextLine, startGradwire, stepDone, withFolder } from '../measure/gradwire.mjs';
import { leftOut, number, table, targets } from '../measure/table.mjs';

export const title = 'Starting and joining';

const recipe = ['--recipe', 'mnist-cnn'];
const joining = 'joining to first contribution';

export async function run({ quick, only, rounds = quick ? 3 : 10, say }) {
  const contestants = [
    ...arrangements([2]).map(({ name, args }) => ({
      name: `${name}: command to first step`,
      measure: () => firstStep(args),
    })),
    { name: joining, measure: firstContribution },
  ];
  const results = await alternate(
    contestants.filter(({ name }) => only.test(name)),
    { rounds, say },
  );
  return { unit: 'ms', results };
}

/** From the command to the first commit. */
function firstStep(args) {
  return withFolder(async (folder) => {
    const run = startGradwire(['train', ...recipe, ...args, '--steps', '1', '--run-dir', folder]);
    const { atMs } = await stepDone(run, 1);
    for await (const _ of run.lines);
    return atMs - run.startMs;
  });
}

/** From the command of a second worker to the first commit that holds its work. */
function firstContribution() {
  return withFolder(async (folder) => {
    const cluster = await startCluster({ args: recipe, workers: 1, folder });
    try {
      await stepDone(cluster.coordinator, 10);
      const { startMs } = await cluster.work(2);
      const { atMs } = await nextLine(cluster.coordinator, isWorkOfSecond);
      return atMs - startMs;
    } finally {
      await cluster.stop();
    }
  });
}

function isWorkOfSecond({ event, record }) {
  return event === 'step' && record.contributions.some(({ worker }) => worker === 'worker-2');
}

export function report({ results }) {
  const rows = results
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, samples, median }) => [name, samples.length, number(median), number(Math.max(...samples))]);
  const first = results.filter(({ name }) => name !== joining).sort((a, b) => a.median - b.median)[0];
  const join = results.find(({ name }) => name === joining);
  return [
    '`mnist-cnn`, data on disk, milliseconds.',
    table([['what', 'runs', 'median', 'worst'], ...rows]),
    targets([
      { what: `${first?.name}, s`, limit: 3, found: first && first.median / 1000, most: true },
      { what: `${joining}, s`, limit: 1.5, found: join && join.median / 1000, most: true },
    ]),
    leftOut(results),
  ].join('\n\n');
}
