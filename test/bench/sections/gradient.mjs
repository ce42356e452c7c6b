import { fileURLToPath } from 'node:url';
import { recipes } from '@gradwire/recipes';
import { alternate, Skipped } from '../measure/alternate.mjs';
import { startLineProcess } from '../measure/line-process.mjs';
import { mnistFolder, peerCommand } from '../measure/peers.mjs';
import { median, medianRatio } from '../measure/statistics.mjs';
import { leftOut, number, table, targets } from '../measure/table.mjs';

export const title = 'One gradient on one core';

const script = fileURLToPath(new URL('../contestants/gradient.mjs', import.meta.url));
const [stock, wasm, native, eager] = ['stock tfjs-node', 'wasm', 'native', 'PyTorch NCHW'];
// Name, and how its process is started for a recipe.
const contestants = [
  [stock, (recipe) => ours('stock', recipe)],
  ['wasm, tf.layers', (recipe) => ours('wasm-layers', recipe)],
  ['native, tf.layers', (recipe) => ours('native-layers', recipe)],
  [wasm, (recipe) => ours('wasm', recipe)],
  [native, (recipe) => ours('native', recipe)],
  [eager, (recipe) => torch('nchw', recipe)],
  ['PyTorch channels_last', (recipe) => torch('channels_last', recipe)],
];
const oneThread = {
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  OMP_NUM_THREADS: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
};

export async function run({ quick, only, rounds = quick ? 3 : 9, say }) {
  const results = [];
  for (const recipe of networks(quick)) {
    const processes = await startAll(recipe, { only, say, results });
    try {
      for (const batch of quick ? [16, 128] : [16, 32, 64, 128]) {
        say(`${recipe.model.name}, micro-batch ${batch}`);
        const task = { batch, repeats: Math.max(3, Math.round(200 / batch)) };
        for (const { process } of processes) await process.ask(task);
        const measured = processes.map(({ name, process }) => ({
          name,
          network: recipe.model.name,
          batch,
          measure: async () => median(await process.ask(task)),
        }));
        results.push(...(await alternate(measured, { rounds, say })));
      }
    } finally {
      for (const { process } of processes) await process.stop();
    }
  }
  return { unit: 'ms', results };
}

/** Each network of a recipe once; the article's first. */
function networks(quick) {
  const byName = new Map(
    recipes
      .filter(({ task, model }) => task.type === 'multiclass' && `${model.inputShape}` === '28,28,1')
      .map((recipe) => [recipe.model.name, recipe]),
  );
  return [...byName.values()].slice(0, quick ? 1 : undefined);
}

async function startAll(recipe, { only, say, results }) {
  const started = [];
  for (const [name, start] of contestants.filter(([name]) => only.test(name))) {
    try {
      started.push({ name, process: await startLineProcess(start(recipe)) });
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      say(`${name} is left out: ${error.message}`);
      results.push({ name, network: recipe.model.name, skipped: error.message });
    }
  }
  return started;
}

function ours(variant, recipe) {
  const args = [script, variant, JSON.stringify(recipe)];
  return { program: process.execPath, args, env: { ...process.env, ...oneThread } };
}

function torch(layout, recipe) {
  const { program, args, env } = peerCommand('gradient.py', { threads: 1 });
  return { program, args: [...args, JSON.stringify(recipe), layout, mnistFolder], env };
}

export function report({ results }) {
  const names = contestants
    .map(([name]) => name)
    .filter((name) => results.some((each) => each.name === name));
  const find = (network, batch, name) =>
    results.find((each) => each.network === network && each.batch === batch && each.name === name);
  const ratio = (name, other, network = 'mnist-cnn', batch = 128) => {
    const [a, b] = [name, other].map((each) => find(network, batch, each));
    return a && b ? medianRatio(a.samples, b.samples) : undefined;
  };
  const places = new Map(
    results
      .filter(({ batch }) => batch)
      .map(({ network, batch }) => [`${network} ${batch}`, { network, batch }]),
  );
  const rows = (cell) =>
    [...places.values()].map(({ network, batch }) => [
      network,
      batch,
      ...names.map((name) => cell(network, batch, name)),
    ]);
  const head = ['network', 'micro-batch', ...names];
  return [
    'Forward, backward, loss and every gradient read, one thread each. Milliseconds, medians:',
    table([head, ...rows((network, batch, name) => number(find(network, batch, name)?.median, 2))]),
    `Ratio to ${stock}:`,
    table([head, ...rows((network, batch, name) => number(ratio(name, stock, network, batch), 2))]),
    'For `mnist-cnn` at micro-batch 128:',
    targets([
      { what: `${wasm} / ${stock}`, limit: 0.45, found: ratio(wasm, stock), most: true },
      { what: `${wasm} / ${eager}`, limit: 0.65, found: ratio(wasm, eager), most: true },
      { what: `${native} / ${stock}`, limit: 0.5, found: ratio(native, stock), most: true },
    ]),
    leftOut(results),
  ].join('\n\n');
}
