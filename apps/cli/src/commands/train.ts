import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import type { AgainArguments } from '../output/run-output.ts';
import { relativePath } from '../output/relative-path.ts';
import { GradwireError } from '@gradwire/errors';
import { type Chaos, startChaos } from '../processes/chaos.ts';
import { type LocalWorkerEvent, type LocalWorkers, startLocalWorkers } from '../processes/local-workers.ts';
import { dataArguments } from '../run/data-arguments.ts';
import { hostRun, type RunSettings } from '../run/host-run.ts';
import { isLoopback, localUrl, sayJoinCommands } from '../run/join-command.ts';
import { startOwnThreads } from '../run/own-threads.ts';
import { commonOptions, options, runOptions } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import { resolveRun } from '../run/resolve-run.ts';
import { isGivenTo, type IsGiven } from '../settings/is-given.ts';
import { settingsOfRecipe } from '../settings/resolve-recipe.ts';
import type { CommandContext } from './command.ts';

/** The settings of `train`, as commander parses them. */
export interface TrainSettings extends RunSettings {
  readonly workers?: number;
  readonly chaos?: Chaos;
  readonly threads?: number;
  readonly backend: 'auto' | 'wasm' | 'native';
}

/** `gradwire train`. */
export function trainCommand(context: CommandContext): Command {
  const command = new Command('train')
    .description('Train a recipe on this machine, on all its cores; other machines may join.')
    .addHelpText('after', examples);
  for (const option of [...runOptions, options.threads, options.workers, options.chaos, options.backend])
    command.addOption(option());
  command.addOption(options.host('127.0.0.1')).addOption(options.port(0));
  for (const option of Object.values(commonOptions)) command.addOption(option());
  const isGiven = isGivenTo(command);
  return command.action(async () => {
    const settings = await prepareSettings<TrainSettings>(command, context, async (given) =>
      settingsOfRecipe((await resolveRun(given, isGiven)).recipe),
    );
    if (settings !== undefined) await train(settings, isGiven, context);
  });
}

/** Trains, says how it ended, and returns the path of the run directory. */
export async function train(
  settings: TrainSettings,
  isGiven: IsGiven,
  context: CommandContext,
): Promise<string> {
  const { workers } = settings;
  if (workers === undefined && settings.chaos !== undefined) {
    throw new GradwireError('OPTION_INVALID', '--chaos needs worker processes to harm, found none', {
      hint: 'Give --workers 3 too.',
    });
  }
  if (workers === undefined) return trainHere(settings, isGiven, context);
  return trainInProcesses({ ...settings, workers }, isGiven, context);
}

/** The process that coordinates computes as well, on threads of its own. */
async function trainHere(
  settings: TrainSettings,
  isGiven: IsGiven,
  context: CommandContext,
): Promise<string> {
  const { threads = availableParallelism(), backend, cacheDir } = settings;
  const own = startOwnThreads({ backend, threads, cacheDir });
  try {
    const run = await hostRun(settings, context, { isGiven, ready: own.started });
    const { coordinator, data } = run;
    if (!isLoopback(coordinator.host)) sayJoinCommands(context.console, coordinator);
    void own.work(coordinator, data);
    await run.finish(againArguments(settings));
    return coordinator.directory.path;
  } finally {
    await own.close();
  }
}

/** Coordinates worker processes of this machine. */
async function trainInProcesses(
  settings: TrainSettings & { readonly workers: number },
  isGiven: IsGiven,
  context: CommandContext,
): Promise<string> {
  let noneLeft: Extract<LocalWorkerEvent, { type: 'none-left' }> | undefined;
  const failIfAlone = (): void => {
    // Workers of other machines may go on, or still come, unless only this machine can reach the coordinator.
    if (!noneLeft || coordinator.workers > 0 || !isLoopback(settings.host)) return;
    const { name, cause, lastLines } = noneLeft;
    coordinator.fail({ worker: name, code: 'WORKER_FAILED', message: cause, log: lastLines });
  };
  const run = await hostRun(settings, context, {
    isGiven,
    onEvent({ type }) {
      if (type === 'worker-left') failIfAlone();
    },
  });
  const { coordinator, output } = run;
  if (!isLoopback(coordinator.host)) sayJoinCommands(context.console, coordinator);
  const workers: LocalWorkers = startLocalWorkers({
    count: settings.workers,
    url: localUrl(coordinator),
    token: coordinator.secret,
    args: workerArguments(settings),
    ...(settings.chaos ? { maxRestarts: Number.POSITIVE_INFINITY } : {}),
    onEvent: (event) => {
      output.handleProcess(event);
      if (event.type !== 'none-left') return;
      noneLeft = event;
      failIfAlone();
    },
  });
  const how = settings.chaos?.kind === 'kill' ? 'killed' : 'stopped';
  const endChaos =
    settings.chaos &&
    startChaos(settings.chaos, {
      running: workers.running,
      onHarm: (name) => output.handleProcess({ type: 'harmed', name, how }),
    });
  try {
    await coordinator.done;
  } finally {
    endChaos?.();
    await workers.stop();
  }
  await run.finish(againArguments(settings));
  return coordinator.directory.path;
}

function againArguments(settings: TrainSettings): AgainArguments {
  const { backend, runDir, workers } = settings;
  const same = [...(backend === 'auto' ? [] : ['--backend', backend]), ...dataArguments(settings)];
  return {
    repeat: relativePath(runDir) === 'runs' ? same : [...same, '--run-dir', relativePath(runDir)],
    resume: ['train', ...(workers === undefined ? [] : ['--workers', `${workers}`]), ...same],
  };
}

function workerArguments(settings: TrainSettings & { readonly workers: number }): string[] {
  const { backend, dataDir, cacheDir, workers } = settings;
  const threads = settings.threads ?? Math.max(1, Math.floor(availableParallelism() / workers));
  const args = ['--backend', backend, '--threads', `${threads}`];
  if (dataDir !== undefined) args.push('--data-dir', dataDir);
  if (cacheDir !== undefined) args.push('--cache-dir', cacheDir);
  return args;
}

const examples = `
Examples:
  gradwire train                                     99 % on MNIST in seconds, on all cores
  gradwire train --recipe mnist-cnn --threads 4      the article's CNN, ten epochs
  gradwire train --workers 2                         two worker processes
  gradwire train --workers 3 --chaos kill/20s        one of them killed every 20 s: the same weights
  gradwire train --recipe ./mine.js --batch-size 256 --seed 7
  gradwire train --host 0.0.0.0 --port 8787          other machines may join
  gradwire train --steps 100 --json > run.jsonl
  gradwire train --resume runs/latest                after a crash or Ctrl-C: the same bits as without`;
