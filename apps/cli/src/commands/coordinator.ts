import { Command } from 'commander';
import { hostRun, type RunSettings } from '../run/host-run.ts';
import { dataArguments } from '../run/data-arguments.ts';
import { sayJoinCommands } from '../run/join-command.ts';
import { commonOptions, options, runOptions } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import { settingsOfRun } from '../run/settings-of-run.ts';
import { isGivenTo } from '../settings/is-given.ts';
import type { CommandContext } from './command.ts';

/** `gradwire coordinator`. */
export function coordinatorCommand(context: CommandContext): Command {
  const command = new Command('coordinator')
    .description('Start a coordinator and wait for workers; prints the command that starts one.')
    .addHelpText('after', examples);
  for (const option of runOptions) command.addOption(option());
  command.addOption(options.host('127.0.0.1')).addOption(options.port(8787));
  for (const option of Object.values(commonOptions)) command.addOption(option());
  const isGiven = isGivenTo(command);
  return command.action(async () => {
    const settings = await prepareSettings<RunSettings>(command, context, (given) =>
      settingsOfRun(given, command),
    );
    if (settings === undefined) return;
    const run = await hostRun(settings, context, {
      isGiven,
      onListening: (coordinator) => sayJoinCommands(context.console, coordinator),
    });
    await run.finish({ resume: ['coordinator', ...dataArguments(settings)] });
  });
}

const examples = `
Examples:
  gradwire coordinator --recipe mnist-cnn --host 0.0.0.0 --port 8787
  gradwire coordinator --recipe ./mine.js --host 0.0.0.0 --epochs 3
  gradwire coordinator --resume runs/latest          after a crash: same address, same token`;
