import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { parseLink } from '../plan/link.ts';
import { parseChaos } from '../processes/chaos.ts';
import { codecNames } from './codec-of.ts';
import { defaultRecipe } from './default-recipe.ts';
import { strategyTypes } from './strategy-of.ts';
import { isToken, tokenRule } from './token-of.ts';

/** Builds commander's options: each may also come from an environment variable or from gradwire.config.json. */
export const options = {
  recipe: (): Option =>
    setting(
      '--recipe <name|file>',
      'recipe by name (see: gradwire recipes), or a .js or .json file',
      defaultRecipe,
    ),
  workers: (): Option =>
    setting(
      '--workers <n>',
      'start this many worker processes, instead of computing in this process',
    ).argParser(wholeFrom(1)),
  chaos: (): Option =>
    setting(
      '--chaos <kind/interval>',
      'harm one of the --workers every so often, as kill/20s or stop/20s: the weights must not change',
    ).argParser(parseChaos),
  threads: (): Option =>
    setting(
      '--threads <n>',
      `compute threads of a worker (default: one per core, ${availableParallelism()} here)`,
    ).argParser(wholeFrom(1)),
  backend: (): Option =>
    setting('--backend <name>', 'compute backend', 'auto').choices(['auto', 'native', 'wasm']),
  epochs: (): Option =>
    setting('--epochs <n>', "passes over the training set (default: the recipe's)").argParser(wholeFrom(1)),
  steps: (): Option => setting('--steps <n>', 'end after this many steps').argParser(wholeFrom(1)),
  batchSize: (): Option =>
    setting('--batch-size <n>', "samples a step, over all shards (default: the recipe's)").argParser(
      wholeFrom(1),
    ),
  shards: (): Option =>
    setting('--shards <n>', "virtual shards of the training set (default: the recipe's)").argParser(
      wholeFrom(1),
    ),
  link: (): Option =>
    setting(
      '--link <rate,time>',
      'link of each worker: bits a second (down/up) and round trip, as 20mbit,50ms',
    ).argParser(parseLink),
  measure: (): Option =>
    setting('--measure <address>', 'measure the link to a coordinator that waits: ws://host:port#token'),
  runSteps: (): Option =>
    setting('--run-steps <n>', 'then train this many steps on this machine, and compare').argParser(
      wholeFrom(4),
    ),
  strategy: (): Option =>
    setting('--strategy <name>', "how the work is shared (default: the recipe's)").choices(strategyTypes),
  localSteps: (): Option =>
    setting(
      '--local-steps <n>',
      'micro-batches that a shard trains on in one step (local-sgd, diloco)',
    ).argParser(wholeFrom(1)),
  maxStaleness: (): Option =>
    setting('--max-staleness <n>', 'updates that a gradient may miss (asynchronous)').argParser(wholeFrom(0)),
  verify: (): Option =>
    setting('--verify <share>', 'share of the leases that a second worker computes too, as 1%').argParser(
      share,
    ),
  exact: (): Option =>
    setting(
      '--exact',
      'refuse a worker that computes other bits than the first one, instead of marking the run',
    ),
  codec: (): Option =>
    setting(
      '--codec <name>',
      "how gradients travel; auto measures the first worker (default: the recipe's)",
    ).choices(codecNames),
  weightsCodec: (): Option =>
    setting('--weights-codec <name>', "how weights travel (default: the recipe's)").choices([
      'float32',
      'bfloat16',
      'float16',
    ]),
  codecShards: (): Option =>
    setting(
      '--codec-shards <n>',
      'shards whose sum is coded as one, a power of two (default: half of them)',
    ).argParser(wholeFrom(1)),
  codecFeedback: (): Option =>
    setting(
      '--codec-feedback <n>',
      'steps within which top-k sends what it left out (default: never)',
    ).argParser(wholeFrom(2)),
  lossy: (): Option => setting('--lossy', 'let --codec auto choose a codec that loses something'),
  seed: (): Option =>
    setting('--seed <n>', "seed of everything random (default: the recipe's)").argParser(wholeFrom(0)),
  seeds: (): Option => setting('--seeds <n>', 'how many seeds', 1000).argParser(wholeFrom(1)),
  firstSeed: (): Option => setting('--seed <n>', 'the first seed', 0).argParser(wholeFrom(0)),
  simulationThreads: (): Option =>
    setting('--threads <n>', 'seeds simulated at the same time', availableParallelism()).argParser(
      wholeFrom(1),
    ),
  repeatEvery: (): Option =>
    setting('--repeat-every <n>', 'simulate every n-th seed twice, and compare', 1).argParser(wholeFrom(1)),
  runSize: (): Option =>
    setting('--size <workers>x<steps>', 'of every run, as 1000x1000 (default: a few, drawn)').argParser(
      runSize,
    ),
  trace: (): Option => setting('--trace', 'show everything that happens in the first seed'),
  step: (): Option =>
    new Option('--step <n>', 'which step, from 1').argParser(wholeFrom(1)).makeOptionMandatory(),
  shard: (): Option =>
    new Option('--shard <n>', 'which shard, from 0 (default: all of the step)').argParser(wholeFrom(0)),
  dataDir: (): Option =>
    setting('--data-dir <dir>', 'folder with the IDX files, plain or .gz').argParser(path),
  runDir: (): Option =>
    setting('--run-dir <dir>', 'where run folders are made', resolve('runs')).argParser(path),
  resume: (): Option =>
    setting('--resume <run>', 'go on with an earlier run: its directory, or runs/latest').argParser(path),
  snapshotEvery: (): Option =>
    setting(
      '--snapshot-every <steps>',
      'steps between two snapshots (default: as often as costs next to nothing)',
    ).argParser(wholeFrom(1)),
  host: (fallback: string): Option =>
    setting('--host <host>', 'address to listen on', fallback).argParser(nonEmpty),
  port: (fallback: number): Option =>
    setting('--port <n>', 'port to listen on; 0 takes a free one', fallback).argParser(port),
  token: (): Option =>
    setting(
      '--token <token>',
      'join token of the run (default: a new one, or the part after # of the address)',
    ).argParser(token),
  tokenFile: (): Option =>
    setting(
      '--token-file <file>',
      'file with the join token: it then stands in no list of processes',
    ).argParser(path),
  tls: (): Option =>
    setting(
      '--tls <kind>',
      'encrypt, with a certificate that is made here; the printed address has its fingerprint',
    ).choices(['self-signed']),
  tlsCert: (): Option => setting('--tls-cert <file>', 'encrypt, with this certificate (PEM)').argParser(path),
  tlsKey: (): Option => setting('--tls-key <file>', 'key of the certificate (PEM)').argParser(path),
  allowHost: (): Option =>
    setting(
      '--allow-host <names>',
      'further names by which browsers may reach the coordinator, with commas between',
    ).argParser(names),
  name: (): Option =>
    setting('--name <name>', 'what the worker is called (default: the host name)').argParser(workerName),
  cacheDir: (): Option =>
    setting('--cache-dir <dir>', 'where downloads and fetched chunks are kept').argParser(path),
  images: (): Option => setting('--images <file>', 'IDX file of images, plain or .gz').argParser(path),
  labels: (): Option => setting('--labels <file>', 'IDX file of labels, plain or .gz').argParser(path),
} as const;

/** A recipe and changes of it, but for its strategy. */
export const recipeOptions: readonly (() => Option)[] = [
  options.recipe,
  options.epochs,
  options.steps,
  options.batchSize,
  options.shards,
  options.seed,
];

/** What `train` and `coordinator` have in common. */
export const runOptions: readonly (() => Option)[] = [
  ...recipeOptions,
  options.strategy,
  options.localSteps,
  options.maxStaleness,
  options.verify,
  options.exact,
  options.codec,
  options.weightsCodec,
  options.codecShards,
  options.codecFeedback,
  options.lossy,
  options.link,
  options.dataDir,
  options.cacheDir,
  options.runDir,
  options.resume,
  options.snapshotEvery,
  options.token,
  options.tokenFile,
  options.tls,
  options.tlsCert,
  options.tlsKey,
  options.allowHost,
];

/** What every command has. */
export const commonOptions = {
  json: (): Option => new Option('--json', 'machine-readable JSON on stdout, everything else on stderr'),
  printConfig: (): Option =>
    new Option('--print-config', 'show each setting and where it comes from, then stop'),
  config: (): Option =>
    new Option('--config <file>', 'settings file (default: gradwire.config.json, if there is one)').argParser(
      path,
    ),
} as const;

function setting(flags: string, description: string, fallback?: string | number): Option {
  const option = new Option(flags, description);
  option.env(`GRADWIRE_${(option.long ?? '').slice(2).replaceAll('-', '_').toUpperCase()}`);
  return fallback === undefined ? option : option.default(fallback);
}

/** Of a simulated run. */
function runSize(text: string): { workers: number; steps: number } {
  const [, workers = 0, steps = 0] = (/^(\d{1,6})x(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (workers > 0 && steps > 0) return { workers, steps };
  throw new InvalidArgumentError('Expected workers x steps, as 1000x1000.');
}

function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= 0xffff_ffff) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to 4294967295.`);
  };
}

/** Above 0, up to 1, also in percent. */
function share(text: string): number {
  const value = Number(text.replace(/%$/, '')) / (text.endsWith('%') ? 100 : 1);
  if (/^[\d.]+%?$/.test(text) && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a share above 0%, up to 100%, as 1% or 0.01.');
}

function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('Expected a port from 0 to 65535.');
}

function path(text: string): string {
  return resolve(nonEmpty(text));
}

/** An empty host would be every address of this machine, an empty path the current folder. */
function nonEmpty(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected a text that is not empty.');
}

/** As the protocol takes it, and so that it can be read in a list. */
function workerName(text: string): string {
  if (text.trim() !== '' && text.length <= 100 && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 100 printable characters.');
}

function token(text: string): string {
  if (isToken(text)) return text;
  throw new InvalidArgumentError(tokenRule);
}

function names(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}
