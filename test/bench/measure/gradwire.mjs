import { spawn, spawnSync } from 'node:child_process';
import { EventEmitter, on } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { plural } from './table.mjs';

/** The built command. */
export const gradwireBin = fileURLToPath(new URL('../../../apps/cli/bin/gradwire.js', import.meta.url));

/**
 * Starts `gradwire … --json`. `lines` gives each line with `atMs`, when it was read; `child` and `startMs` are there
 * for whoever kills and times it. `prefix` goes before the command, `nodeArgs` to node.
 */
export function startGradwire(args, { prefix = [], nodeArgs = [] } = {}) {
  const [program, ...rest] = [...prefix, process.execPath, ...nodeArgs, gradwireBin, ...args, '--json'];
  const startMs = performance.now();
  const child = spawn(program, rest, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text) => (errors = (errors + text).slice(-4_000)));
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0 || child.killed) resolve();
      else reject(new Error(`gradwire ${args.join(' ')} ended with ${code ?? signal}:\n${errors}`));
    });
  });
  // Whoever reads the lines to their end awaits it.
  ended.catch(() => undefined);
  return { child, startMs, ended, lines: readLines(child.stdout, ended) };
}

/** The time is that of the arrival, however late a line is asked for. */
function readLines(input, ended) {
  const stamped = new EventEmitter();
  createInterface({ input })
    .on('line', (text) => stamped.emit('line', { ...JSON.parse(text), atMs: performance.now() }))
    .on('close', () => stamped.emit('close'));
  const arriving = on(stamped, 'line', { close: ['close'] });
  return (async function* () {
    for await (const [line] of arriving) yield line;
    await ended;
  })();
}

/** The first line that `accepts` accepts; what comes before it is lost. The lines can be read on. */
export async function nextLine({ lines }, accepts) {
  for (;;) {
    const { done, value } = await lines.next();
    if (done) throw new Error('gradwire ended before the line that was waited for');
    if (accepts(value)) return value;
  }
}

/** Reads on until a step is committed; returns its line. */
export function stepDone(run, step) {
  return nextLine(run, ({ event, record }) => event === 'step' && record.step >= step);
}

/** Samples a second of the `steps` steps after `warmup`, as a reader of the lines sees them. */
export async function rateOf(run, { warmup, steps }) {
  const from = await stepDone(run, warmup);
  let [to, samples] = [from, 0];
  for (let step = 0; step < steps; step++) {
    to = await stepDone(run, 1);
    samples += to.record.samples;
  }
  return (samples * 1000) / (to.atMs - from.atMs);
}

/** Lets `use` have a folder that is gone afterwards. */
export async function withFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), 'gradwire-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same of a whole `gradwire train`. */
export function trainRate({ args, batch, warmup, steps }) {
  return withFolder(async (folder) => {
    const length = ['--batch-size', `${batch}`, '--steps', `${warmup + steps}`];
    const run = startGradwire(['train', ...args, ...length, '--run-dir', folder]);
    const rate = await rateOf(run, { warmup, steps });
    for await (const _ of run.lines);
    return rate;
  });
}

/** Whether `gradwire COMMAND` has an option, so that a list may name what not every version has. */
export function hasOption(command, option) {
  const { stdout } = spawnSync(process.execPath, [gradwireBin, command, '--help'], { encoding: 'utf8' });
  return stdout.includes(`${option} `);
}

/** Ours without settings of Gradwire: they would change what is measured. */
function environment() {
  const ours = Object.entries(process.env).filter(([name]) => !name.startsWith('GRADWIRE_'));
  return { ...Object.fromEntries(ours), NO_COLOR: '1' };
}

/** The ways in which `gradwire train` can use so many cores: processes that talk to a coordinator, or threads of one. */
export function arrangements(counts) {
  const hasThreads = hasOption('train', '--threads');
  const oneEach = hasThreads ? ['--threads', '1'] : [];
  return counts.flatMap((count) => [
    { name: `gradwire, ${plural(count, 'process')}`, count, args: ['--workers', `${count}`, ...oneEach] },
    ...(hasThreads
      ? [{ name: `gradwire, ${plural(count, 'thread')}`, count, args: ['--threads', `${count}`] }]
      : []),
  ]);
}

/** Codecs of the wire, with the arguments that choose them: weights have no `int8` and no `top-k`, and get bfloat16. */
export function codecs() {
  const plain = { name: 'float32', args: [] };
  if (!hasOption('train', '--codec')) return [plain];
  const others = [
    ['bfloat16', 'bfloat16'],
    ['float16', 'float16'],
    ['int8', 'bfloat16'],
    ['top-k', 'bfloat16'],
  ].map(([name, weights]) => ({ name, args: ['--codec', name, '--weights-codec', weights] }));
  return [plain, ...others];
}
