import { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import { describeDifference, type Verdict, verdictOf } from '../ledger/describe-difference.ts';
import { diffRuns } from '../ledger/diff-runs.ts';
import { openRun } from '../ledger/open-run.ts';
import { relativePath } from '../output/relative-path.ts';
import { commonOptions } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

/** `gradwire diff`. */
export function diffCommand(context: CommandContext): Command {
  const command = new Command('diff')
    .description('Name the first step, shard and tensor in which two runs differ.')
    .argument('<run>', 'a run folder, or runs/latest')
    .argument('<other>', 'another one')
    .addHelpText('after', examples);
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (path: string, other: string) => {
    const settings = await prepareSettings<{ readonly json?: boolean }>(command, context);
    if (settings !== undefined) await diff([path, other], settings, context);
  });
}

async function diff(
  [path, other]: readonly [string, string],
  { json }: { readonly json?: boolean },
  { console, exit }: CommandContext,
): Promise<void> {
  const [a, b] = [await openRun(path), await openRun(other)];
  const found = await diffRuns(a, b);
  const verdict = verdictOf(found);
  const isEqual = verdict === 'equal';
  if (!isEqual) exit(exitCodes.difference.code);
  const [one, two] = [a.directory.path, b.directory.path];
  if (json) return console.json({ runs: [one, two], isEqual, ...found });
  const title = `${relativePath(one)} and ${relativePath(two)}: ${words[verdict]}`;
  console.print([title, ...describeDifference(found).map((line) => `  ${line}`)].join('\n'));
}

const words: Readonly<Record<Verdict, string>> = {
  equal: 'equal',
  different: 'not equal',
  unproven: 'not proved equal',
};

const examples = `
The exit code is 12 if they differ, and if a damaged or empty ledger leaves that open. Runs that were
trained asynchronously are refused.

Examples:
  gradwire diff runs/0001-mnist-cnn runs/0002-mnist-cnn
  gradwire diff runs/0001-mnist-cnn runs/latest --json`;
