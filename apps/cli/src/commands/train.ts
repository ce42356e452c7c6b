import { Command } from 'commander';
import { type LocalWorkers, startLocalWorkers } from '../processes/local-workers.ts';
import { hostRun, type RunSettings, resolveRecipe, settingsOfRecipe } from '../run/host-run.ts';
import { joinCommands } from '../run/join-command.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface TrainSettings extends RunSettings {
  readonly workers: number;
  readonly backend: string;
}

export function trainCommand(context: CommandContext): Command {
  const command = new Command('train')
    .description('Train a recipe on this machine: a coordinator and several worker processes.')
    .addHelpText('after', examples);
  const {
    recipe,
    workers,
    backend,
    epochs,
    steps,
    batchSize,
    shards,
    seed,
    dataDir,
    cacheDir,
    runDir,
    token,
  } = options;
  for (const option of [
    recipe,
    workers,
    backend,
    epochs,
    steps,
    batchSize,
    shards,
    seed,
    dataDir,
    cacheDir,
    runDir,
  ]) {
    command.addOption(option());
  }
  command.addOption(options.host('127.0.0.1')).addOption(options.port(0)).addOption(token());
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async () => {
    const settings = await prepareSettings<TrainSettings>(command, context, async (given) =>
      settingsOfRecipe((await resolveRecipe(given)).recipe),
    );
    if (settings !== undefined) await train(settings, context);
  });
}

async function train(settings: TrainSettings, context: CommandContext): Promise<void> {
  const run = await hostRun(settings, context);
  const { coordinator, output } = run;
  const { host, port, token } = coordinator;
  if (host !== '127.0.0.1') {
    context.console.say('More workers may join from other machines:');
    for (const line of joinCommands({ host, port, token })) context.console.say(`  ${line}`);
  }
  const workers: LocalWorkers = startLocalWorkers({
    count: settings.workers,
    url: `ws://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`,
    token,
    args: workerArguments(settings),
    onEvent: (event) => {
      output.handleProcess(event);
      if (event.type === 'none-left') {
        coordinator.fail({
          worker: event.name,
          code: 'WORKER_FAILED',
          message: event.cause,
          log: event.lastLines,
        });
      }
    },
  });
  try {
    await coordinator.done;
  } finally {
    await workers.stop();
  }
  await run.finish();
}

function workerArguments({ backend, dataDir, cacheDir }: TrainSettings): string[] {
  const args = ['--backend', backend];
  if (dataDir !== undefined) args.push('--data-dir', dataDir);
  if (cacheDir !== undefined) args.push('--cache-dir', cacheDir);
  return args;
}

const examples = `
Examples:
  gradwire train                                     the article's CNN on MNIST, one worker per core
  gradwire train --epochs 1 --workers 4
  gradwire train --recipe ./mine.js --batch-size 256 --seed 7
  gradwire train --host 0.0.0.0 --port 8787          other machines may join
  gradwire train --steps 100 --json > run.jsonl`;
