import { recipes } from '@gradwire/recipes';
import { alternate, Skipped } from '../measure/alternate.mjs';
import { arrangements, startGradwire, withFolder } from '../measure/gradwire.mjs';
import { mnistFolder, runPeer } from '../measure/peers.mjs';
import { mean, median, medianRatio } from '../measure/statistics.mjs';
import { leftOut, number, percent, table, targets } from '../measure/table.mjs';

export const title = 'Time to an accuracy';

const ranks = 2;
const [nchw, channelsLast] = ['nchw', 'channels_last'].map(
  (layout) => `PyTorch DDP ${layout}, ${ranks} ranks`,
);
// The one-cycle schedule spans the steps of a run, so that fewer steps are a shorter run and not a torn one.
const aims = [
  { accuracy: 0.98, steps: 60 },
  { accuracy: 0.99, steps: 235 },
];

export async function run({ quick, only, rounds = quick ? 1 : 10, say }) {
  const recipe = recipes.find(({ name }) => name === 'mnist-fast');
  if (!recipe) throw new Skipped('there is no recipe mnist-fast');
  const results = [];
  for (const { accuracy, steps } of aims) {
    say(`${percent(accuracy, 0)}: ${steps} steps`);
    const measured = contestants(recipe, steps)
      .filter(({ name }) => only.test(name))
      .map(({ name, train }) => {
        // A round is a seed.
        const runs = [];
        const measure = async () => {
          runs.push(await train(runs.length + 1));
          return runs.at(-1).seconds;
        };
        return { name, aim: accuracy, steps, runs, measure };
      });
    results.push(...(await alternate(measured, { rounds, say })));
  }
  return { unit: 's', results };
}

function contestants(recipe, steps) {
  return [
    ...arrangements([ranks]).map(({ name, args }) => ({
      name,
      train: (seed) => trainOurs({ args, steps, seed }),
    })),
    { name: nchw, train: (seed) => trainTorch({ ...recipe, seed }, steps, 'nchw') },
    { name: channelsLast, train: (seed) => trainTorch({ ...recipe, seed }, steps, 'channels_last') },
  ];
}

/** `seconds` from the first lease, which goes to the first worker that has its data, to the last commit. */
function trainOurs({ args, steps, seed }) {
  return withFolder(async (folder) => {
    const command = ['train', '--recipe', 'mnist-fast', '--backend', 'wasm', ...args, '--run-dir', folder];
    const run = startGradwire([...command, '--steps', `${steps}`, '--seed', `${seed}`]);
    const at = {};
    let accuracy;
    for await (const { event, record, atMs } of run.lines) {
      if (event === 'worker-prepared') at.start ??= atMs;
      if (event === 'step') at.end = atMs;
      if (event === 'evaluated') accuracy = record.accuracy;
    }
    return { seed, accuracy, seconds: (at.end - at.start) / 1000, command: (at.end - run.startMs) / 1000 };
  });
}

async function trainTorch(recipe, steps, layout) {
  const startMs = performance.now();
  const args = [
    '--recipe',
    JSON.stringify(recipe),
    '--data',
    mnistFolder,
    '--layout',
    layout,
    '--steps',
    `${steps}`,
  ];
  const { seconds, testAccuracy } = await runPeer('ddp.py', [...args, '--evaluate'], { ranks, threads: 1 });
  // With the evaluation and the end of the processes: PyTorch has no line that tells of the last step.
  return {
    seed: recipe.seed,
    accuracy: testAccuracy,
    seconds,
    command: (performance.now() - startMs) / 1000,
  };
}

export function report({ results }) {
  const measured = results.filter(({ samples }) => samples.length > 0);
  const rows = measured.map(({ name, aim, steps, runs, samples }) => [
    percent(aim, 0),
    steps,
    name,
    runs.length,
    percent(mean(runs.map(({ accuracy }) => accuracy)), 2),
    percent(Math.min(...runs.map(({ accuracy }) => accuracy)), 2),
    number(median(samples), 2),
    number(median(runs.map(({ command }) => command)), 1),
  ]);
  const at99 = measured.filter(({ aim }) => aim === 0.99);
  const ours = at99.filter(({ name }) => name.startsWith('gradwire')).sort((a, b) => a.median - b.median)[0];
  const ratio = (name) => {
    const other = at99.find((each) => each.name === name);
    return ours && other && medianRatio(ours.samples, other.samples);
  };
  return [
    `\`mnist-fast\` with ${ranks} workers or ranks, a run for each seed. Training is the loop alone, from the first step to the last; the command is everything since its start (for PyTorch with the evaluation at the end).`,
    table([
      ['aim', 'steps', 'contestant', 'seeds', 'mean accuracy', 'lowest', 'training, s', 'command, s'],
      ...rows,
    ]),
    targets([
      {
        what: 'mean accuracy after the epoch, %',
        limit: 99,
        found: ours && 100 * mean(ours.runs.map((run) => run.accuracy)),
      },
      { what: `time of ${ours?.name} / ${nchw}`, limit: 0.6, found: ratio(nchw), most: true },
      {
        what: `time of ${ours?.name} / ${channelsLast}`,
        limit: 0.95,
        found: ratio(channelsLast),
        most: true,
      },
    ]),
    leftOut(results),
  ].join('\n\n');
}
