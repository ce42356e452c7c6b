import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import { createWorkerOutput } from '../output/worker-output.ts';
import { startThreads } from '../run/start-threads.ts';
import { FlagOnlyOption } from '../settings/flag-only-option.ts';
import { parseAddress } from '../settings/parse-address.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import { tokenOf } from '../settings/token-of.ts';
import { version } from '../version.ts';
import type { CommandContext } from './command.ts';

interface WorkerSettings {
  readonly backend: 'auto' | 'wasm' | 'native';
  readonly threads?: number;
  readonly name?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly recipe?: string;
  readonly dataDir?: string;
  readonly cacheDir?: string;
  readonly fetchData?: boolean;
  readonly leaveWithParent?: boolean;
  readonly json?: boolean;
}

/** `gradwire worker`. */
export function workerCommand(context: CommandContext): Command {
  const command = new Command('worker')
    .description('Join a run from this machine, and work until it ends.')
    .argument('<url>', 'the address that the coordinator printed, for example ws://10.0.0.5:8787#token')
    .addHelpText('after', examples);
  // A file that says what this machine trains does not say what it may help with.
  const recipe = new FlagOnlyOption(
    '--recipe <name|file>',
    "refuse to work unless the coordinator's recipe is this one",
  );
  const { backend, threads, name, token, tokenFile, dataDir, cacheDir } = options;
  for (const option of [backend, threads, name, token, tokenFile, dataDir, cacheDir])
    command.addOption(option());
  command
    .addOption(recipe)
    .addOption(new Option('--fetch-data', 'take the data from the coordinator even if this machine has it'))
    .addOption(new Option('--leave-with-parent', 'leave when standard input ends').hideHelp());
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (url: string) => {
    const settings = await prepareSettings<WorkerSettings>(command, context);
    if (settings !== undefined) await work(url, settings, context);
  });
}

async function work(address: string, settings: WorkerSettings, context: CommandContext): Promise<void> {
  const { url, token } = parseAddress(address, await tokenOf(settings));
  const output = createWorkerOutput(context.console, settings.json === true);
  const { dataDir, cacheDir, name, recipe, backend, threads = availableParallelism() } = settings;
  const starting = startThreads({ backend, threads });
  const { defaultCacheDirectory, findLocalDataset, runWorker } = await import('../run/join-run.ts');
  const outcome = await runWorker({
    url,
    token,
    backend,
    threads,
    starting,
    ...(name === undefined ? {} : { name }),
    software: version,
    ...(recipe === undefined ? {} : { recipeHash: await hashOf(recipe) }),
    cacheDirectory: cacheDir ?? defaultCacheDirectory(),
    findLocal: async (dataset) =>
      settings.fetchData ? undefined : findLocalDataset(dataset, { dataDir, cacheDir }),
    signal: settings.leaveWithParent ? AbortSignal.any([context.signal, parentGone()]) : context.signal,
    onEvent: output.handle,
    lastLines: output.lastLines,
  });
  if (outcome.outcome === 'failed') context.exit(exitCodes.training.code);
}

async function hashOf(recipe: string): Promise<string> {
  const { loadRecipe } = await import('@gradwire/recipes/node');
  return (await loadRecipe(recipe)).hash;
}

/** Aborted when standard input ends, which is what happens when the parent process is gone. */
function parentGone(): AbortSignal {
  const gone = new AbortController();
  process.stdin
    .once('end', () => gone.abort('the command that started it has ended'))
    .once('error', () => gone.abort());
  process.stdin.resume();
  return gone.signal;
}

const examples = `
Examples:
  gradwire worker ws://10.0.0.5:8787#token
  gradwire worker ws://10.0.0.5:8787#token --backend wasm --name attic
  gradwire worker wss://10.0.0.5:8787#token,fingerprint        encrypted
  GRADWIRE_TOKEN=token gradwire worker ws://10.0.0.5:8787      no token in the list of processes
  gradwire worker ws://10.0.0.5:8787 --token-file token.txt    the same`;
