import { Command } from 'commander';
import { startThreads } from '../run/start-threads.ts';
import type { TrainSettings } from '../run/train.ts';
import { commonOptions, options, runOptions } from '../settings/options.ts';
import { isGivenTo } from '../settings/is-given.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

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
    const settings = await prepareSettings<TrainSettings>(command, context, async (given) => {
      const { settingsOfRun } = await import('../run/settings-of-run.ts');
      return settingsOfRun(given, command);
    });
    if (settings === undefined) return;
    const early = settings.workers === undefined ? { starting: startThreads(settings) } : {};
    const { train } = await import('../run/train.ts');
    await train(settings, context, { isGiven, ...early });
  });
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
