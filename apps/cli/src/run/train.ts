import { availableParallelism } from 'node:os';
import type { ThreadPool } from '@gradwire/worker/thread-pool';
import type { AgainArguments } from '../output/run-output.ts';
import { relativePath } from '../output/relative-path.ts';
import { GradwireError, toError } from '@gradwire/errors';
import { type Chaos, startChaos } from '../processes/chaos.ts';
import { type LocalWorkerEvent, type LocalWorkers, startLocalWorkers } from '../processes/local-workers.ts';
import { dataArguments } from './data-arguments.ts';
import { type HostedRun, hostRun, type RunSettings } from './host-run.ts';
import { isLoopback, localUrl, sayJoinCommands } from './join-command.ts';
import { startOwnThreads } from './own-threads.ts';
import type { IsGiven } from '../settings/is-given.ts';
import type { CommandContext } from '../commands/command.ts';

/** The settings of `train`, as commander parses them. */
export interface TrainSettings extends RunSettings {
  readonly workers?: number;
  readonly chaos?: Chaos;
  readonly threads?: number;
  readonly backend: 'auto' | 'wasm' | 'native';
}

/** What {@link train} is told besides the settings. */
export interface TrainOptions {
  readonly isGiven: IsGiven;
  /** Compute threads of this process, if they were started already. */
  readonly starting?: Promise<ThreadPool>;
}

/** Trains, says how it ended, and returns the path of the run directory. */
export async function train(
  settings: TrainSettings,
  context: CommandContext,
  { isGiven, starting }: TrainOptions,
): Promise<string> {
  const { workers } = settings;
  if (workers === undefined && settings.chaos !== undefined) {
    throw new GradwireError('OPTION_INVALID', '--chaos needs worker processes to harm, found none', {
      hint: 'Give --workers 3 too.',
    });
  }
  if (workers === undefined) return trainHere(settings, context, { isGiven, ...(starting && { starting }) });
  return trainInProcesses({ ...settings, workers }, context, isGiven);
}

/** The process that coordinates computes as well, on threads of its own. */
async function trainHere(
  settings: TrainSettings,
  context: CommandContext,
  { isGiven, ...early }: TrainOptions,
): Promise<string> {
  const { threads = availableParallelism(), backend, cacheDir } = settings;
  const own = startOwnThreads({ backend, threads, cacheDir, ...early });
  let lost: Error | undefined;
  const failIfAlone = (): void => {
    if (lost === undefined || run.coordinator.workers > 0) return;
    const { message, stack = '' } = lost;
    run.coordinator.fail({ worker: 'local', code: 'WORKER_FAILED', message, stack });
  };
  let run: HostedRun;
  try {
    run = await hostRun(settings, context, {
      isGiven,
      ready: own.started,
      onEvent({ type }) {
        if (type === 'worker-left') failIfAlone();
      },
    });
    const { coordinator, data } = run;
    if (!isLoopback(coordinator.host)) sayJoinCommands(context.console, coordinator);
    own.work(coordinator, data).catch((thrown: unknown) => {
      lost = toError(thrown);
      failIfAlone();
    });
    await run.finish(againArguments(settings));
    return coordinator.directory.path;
  } finally {
    await own.close();
  }
}

/** Coordinates worker processes of this machine. */
async function trainInProcesses(
  settings: TrainSettings & { readonly workers: number },
  context: CommandContext,
  isGiven: IsGiven,
): Promise<string> {
  let noneLeft: Extract<LocalWorkerEvent, { type: 'none-left' }> | undefined;
  const failIfAlone = (): void => {
    // Workers of other machines may go on, or still come, unless only this machine can reach the coordinator.
    if (!noneLeft || coordinator.workers > 0 || !isLoopback(coordinator.host)) return;
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
