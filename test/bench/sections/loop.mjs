import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findRecipe } from '@gradwire/recipes';
import { alternate, Skipped } from '../measure/alternate.mjs';
import { arrangements, trainRate } from '../measure/gradwire.mjs';
import { mnistFolder, runPeer } from '../measure/peers.mjs';
import { medianRatio } from '../measure/statistics.mjs';
import { leftOut, number, plural, table, targets } from '../measure/table.mjs';

export const title = 'The whole training loop';

const recipe = findRecipe('mnist-cnn');
const fit = fileURLToPath(new URL('../contestants/tfjs-fit.mjs', import.meta.url));
const counts = [1, 2, 3];
const ddpName = (ranks, layout) =>
  `PyTorch DDP ${layout === 'nchw' ? 'NCHW' : layout}, ${plural(ranks, 'rank')}`;
const [keras, tfjs] = ['Keras model.fit, all cores', 'tfjs-node model.fit, all cores'];

/** Everybody trains the article's network with Adam, shuffled and standardised samples, loss and accuracy. */
function contestants() {
  const ours = arrangements(counts).map(({ name, args }) => ({
    name,
    rate: (task) => trainRate({ ...task, args: ['--recipe', recipe.name, '--backend', 'wasm', ...args] }),
  }));
  const ddp = counts.flatMap((ranks) =>
    ['nchw', 'channels_last'].map((layout) => ({
      name: ddpName(ranks, layout),
      rate: (task) => ddpRate(task, { ranks, layout }),
    })),
  );
  return [...ours, ...ddp, { name: keras, rate: kerasRate }, { name: tfjs, rate: tfjsRate }];
}

export async function run({ quick, only, rounds = quick ? 1 : 3, say }) {
  const results = [];
  for (const batch of quick ? [128, 512] : [128, 256, 512]) {
    // The same number of samples at every batch, all in the first epoch: no evaluation falls into it.
    const task = { batch, warmup: Math.ceil(5_120 / batch), steps: (quick ? 7_680 : 15_360) / batch };
    say(`global batch ${batch}, steps ${task.warmup + 1} to ${task.warmup + task.steps}`);
    const measured = contestants()
      .filter(({ name }) => only.test(name))
      .map(({ name, rate }) => ({ name, batch, measure: () => rate(task) }));
    results.push(...(await alternate(measured, { rounds, say })));
  }
  return { unit: 'samples/s', results };
}

async function ddpRate({ batch, warmup, steps }, { ranks, layout }) {
  const { seconds } = await runPeer(
    'ddp.py',
    [
      '--recipe',
      JSON.stringify({ ...recipe, batchSize: batch }),
      '--data',
      mnistFolder,
      '--layout',
      layout,
    ].concat(['--steps', `${warmup + steps}`, '--warmup', `${warmup}`]),
    { ranks, threads: 1 },
  );
  return (steps * batch) / seconds;
}

async function kerasRate({ batch, warmup, steps }) {
  const length = ['--steps', `${warmup + steps}`, '--warmup', `${warmup}`];
  const { seconds } = await runPeer('keras_fit.py', [
    '--data',
    mnistFolder,
    '--batch',
    `${batch}`,
    ...length,
  ]);
  return (steps * batch) / seconds;
}

async function tfjsRate({ batch, warmup, steps }) {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  const args = [fit, ...[batch, warmup, steps].map(String)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const { seconds, skipped } = JSON.parse(stdout.trim().split('\n').at(-1));
  if (skipped) throw new Skipped(skipped);
  return (steps * batch) / seconds;
}

export function report({ results }) {
  const batches = [...new Set(results.map(({ batch }) => batch))];
  const names = [...new Set(results.filter(({ skipped }) => !skipped).map(({ name }) => name))];
  const find = (name, batch) => results.find((each) => each.name === name && each.batch === batch);
  const ratio = (name, other, batch) => {
    const [a, b] = [name, other].map((each) => find(each, batch)?.samples);
    return a?.length && b?.length ? medianRatio(a, b) : undefined;
  };
  const best = (count, batch) =>
    names
      .filter((name) => name.startsWith('gradwire') && name.includes(` ${count} `))
      .sort((a, b) => (find(b, batch)?.median ?? 0) - (find(a, batch)?.median ?? 0))[0];
  const against = (limit, other, batch) => ({
    what: `${best(2, batch)} / ${other}, batch ${batch}`,
    limit,
    found: ratio(best(2, batch), other, batch),
  });
  const head = batches.map((batch) => `batch ${batch}`);
  const rows = (cell) => names.map((name) => [name, ...batches.map((batch) => cell(name, batch))]);
  return [
    'Samples a second, medians; data handling, loss and accuracy included on all sides. DDP: gloo, one thread a rank.',
    "WebAssembly's vectors have 128 bits on every machine; PyTorch, Keras and tfjs-node use the processor's own, so the ratios depend on it ([two processors](results.md#two-processors)).",
    table([['contestant', ...head], ...rows((name, batch) => number(find(name, batch)?.median))]),
    `Ratio to ${ddpName(2, 'nchw')}:`,
    table([
      ['contestant', ...head],
      ...rows((name, batch) => number(ratio(name, ddpName(2, 'nchw'), batch), 2)),
    ]),
    targets([
      against(2, ddpName(2, 'nchw'), 128),
      against(1.4, ddpName(2, 'channels_last'), 128),
      against(2.5, tfjs, 128),
      {
        what: `${best(2, 256)} / ${best(1, 256)}, batch 256`,
        limit: 1.85,
        found: ratio(best(2, 256), best(1, 256), 256),
      },
    ]),
    leftOut(results),
  ].join('\n\n');
}
