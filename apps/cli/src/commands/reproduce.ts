import { join } from 'node:path';
import { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import { backendOf } from '../ledger/backend-of.ts';
import { describeDifference, type Verdict, verdictOf } from '../ledger/describe-difference.ts';
import { diffRuns } from '../ledger/diff-runs.ts';
import { openRun } from '../ledger/open-run.ts';
import { refuseAsynchronous } from '../ledger/refuse-asynchronous.ts';
import { relativePath } from '../output/relative-path.ts';
import { train, type TrainSettings } from '../run/train.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

/** `gradwire reproduce`. */
export function reproduceCommand(context: CommandContext): Command {
  const command = new Command('reproduce')
    .description('Run a recorded run again, and compare the weights after every step.')
    .argument('<run>', 'a run folder, or runs/latest')
    .addHelpText('after', examples);
  const { threads, workers, backend, dataDir, cacheDir, runDir } = options;
  for (const option of [threads, workers, backend, dataDir, cacheDir, runDir]) command.addOption(option());
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (path: string) => {
    const settings = await prepareSettings<TrainSettings>(command, context);
    if (settings !== undefined) await reproduce(path, settings, context);
  });
}

async function reproduce(path: string, settings: TrainSettings, context: CommandContext): Promise<void> {
  const { console, signal, exit } = context;
  const original = await openRun(path);
  refuseAsynchronous(original, 'reproduce');
  const { directory } = original;
  const recipe = join(directory.path, 'recipe.json');
  const backend = settings.backend === 'auto' ? backendOf(original.ledger.lines) : settings.backend;
  const place = { host: '127.0.0.1', port: 0 };
  const again = await train({ ...settings, ...place, recipe, backend }, context, {
    isGiven: () => false,
  });
  if (signal.aborted) return;
  const repeated = await openRun(again);
  const found = await diffRuns(original, repeated);
  const how = { isCutShort: original.summary?.outcome !== 'finished' };
  const verdict = verdictOf(found, how);
  const isEqual = verdict === 'equal';
  if (!isEqual) exit(exitCodes.difference.code);
  if (settings.json)
    return console.json({ event: 'compared', runs: [directory.path, again], isEqual, ...found });
  const title = `${relativePath(again)} ${words[verdict]} ${relativePath(directory.path)}`;
  console.print([title, ...describeDifference(found, how).map((line) => `  ${line}`)].join('\n'));
}

const words: Readonly<Record<Verdict, string>> = {
  equal: 'reproduces',
  different: 'does not reproduce',
  unproven: 'is not proved to reproduce',
};

const examples = `
The exit code is 12 if the two runs differ, and if a damaged or empty ledger leaves that open. Of a run that
was stopped or failed, the steps that it made are compared. Runs that were trained
asynchronously are refused.

Examples:
  gradwire reproduce runs/latest
  gradwire reproduce runs/0001-mnist-cnn --workers 3`;
