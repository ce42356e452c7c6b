import { Command } from 'commander';
import { hostRun, type RunSettings, resolveRecipe, settingsOfRecipe } from '../run/host-run.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import { joinCommands } from '../run/join-command.ts';
import type { CommandContext } from './command.ts';

export function coordinatorCommand(context: CommandContext): Command {
  const command = new Command('coordinator')
    .description('Start a coordinator and wait for workers; prints the command that starts one.')
    .addHelpText('after', examples);
  const { recipe, epochs, steps, batchSize, shards, seed, dataDir, cacheDir, runDir, token } = options;
  for (const option of [recipe, epochs, steps, batchSize, shards, seed, dataDir, cacheDir, runDir, token]) {
    command.addOption(option());
  }
  command.addOption(options.host('127.0.0.1')).addOption(options.port(8787));
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async () => {
    const settings = await prepareSettings<RunSettings>(command, context, async (given) =>
      settingsOfRecipe((await resolveRecipe(given)).recipe),
    );
    if (settings === undefined) return;
    const run = await hostRun(settings, context);
    const { host, port, token: joinToken } = run.coordinator;
    context.console.say('To add a worker, run on any machine that reaches this one:');
    for (const line of joinCommands({ host, port, token: joinToken })) context.console.say(`  ${line}`);
    await run.finish();
  });
}

const examples = `
Examples:
  gradwire coordinator --recipe mnist-cnn --host 0.0.0.0 --port 8787
  gradwire coordinator --recipe ./mine.js --host 0.0.0.0 --epochs 3`;
