/**
 * Times one gradient of the article's network (forward, backward, loss, every gradient read) on one core, for stock
 * tfjs-node and for our backends, side by side: the variants take turns in processes of their own, so that noise of
 * the machine meets all alike. Ratios to stock are what counts. Needs a build (`pnpm build`) and, for the native
 * variants, `gradwire native install`.
 *
 *   node test/bench/gradient.mjs [--batches 16,32,64,128] [--rounds 7] [--variants stock,native-layers,native,wasm-layers,wasm]
 *
 * Writes a Markdown table and one line of JSON to stdout.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    batches: { type: 'string', default: '16,32,64,128' },
    rounds: { type: 'string', default: '7' },
    variants: { type: 'string', default: 'stock,native-layers,native,wasm-layers,wasm' },
  },
});
const batches = values.batches.split(',').map(Number);
const rounds = Number(values.rounds);
const script = fileURLToPath(new URL('gradient-variant.mjs', import.meta.url));
const children = new Map();
for (const variant of values.variants.split(',')) children.set(variant, await start(variant));

const rows = [];
for (const batch of batches) {
  const repeats = Math.max(3, Math.round(200 / batch));
  for (const child of children.values()) await measure(child, { batch, repeats });
  const times = new Map([...children.keys()].map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [variant, child] of children)
      times.get(variant).push(median(await measure(child, { batch, repeats })));
  }
  rows.push(summarise(batch, times));
}
for (const child of children.values()) child.disconnect();
print(rows);

async function start(variant) {
  // One thread for stock as well: TensorFlow reads these when its library is loaded.
  const env = {
    ...process.env,
    TF_NUM_INTRAOP_THREADS: '1',
    TF_NUM_INTEROP_THREADS: '1',
    TF_CPP_MIN_LOG_LEVEL: '2',
  };
  const child = fork(script, [variant], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (message !== 'ready') throw new Error(`variant ${variant} did not start`);
  child.once('exit', (code) => {
    if (code === 0) return;
    console.error(`variant ${variant} ended with status ${code}`);
    process.exit(1);
  });
  return child;
}

async function measure(child, task) {
  child.send(task);
  const [times] = await once(child, 'message');
  return times;
}

function summarise(batch, times) {
  const stock = times.get('stock');
  const row = { batch };
  for (const [variant, list] of times) {
    const ratio = stock && median(list.map((time, round) => time / stock[round]));
    row[variant] = { ms: round(median(list), 10), ...(stock && { ratio: round(ratio, 100) }) };
  }
  return row;
}

function print(rows) {
  const variants = [...children.keys()];
  console.log(`| batch | ${variants.map((variant) => `${variant} ms | ratio`).join(' | ')} |`);
  console.log(`| --- |${' --- | --- |'.repeat(variants.length)}`);
  for (const row of rows) {
    const cells = variants.map((variant) => `${row[variant].ms} | ${row[variant].ratio ?? ''}`);
    console.log(`| ${row.batch} | ${cells.join(' | ')} |`);
  }
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: availableParallelism() };
  console.log(JSON.stringify({ benchmark: 'gradient', machine, rounds, rows }));
}

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1];
}

function round(value, scale) {
  return Math.round(value * scale) / scale;
}
