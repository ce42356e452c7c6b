import { Command } from 'commander';
import { statisticsOf } from '@gradwire/coordinator';
import { trainingIndices } from '@gradwire/data';
import { formatCount, plural } from '@gradwire/report';
import { loadDataset } from '../datasets.ts';
import { exitCodes } from '../exit-codes.ts';
import { auditRun, type RunAudit } from '../ledger/audit-run.ts';
import { openRun, type OpenRun } from '../ledger/open-run.ts';
import { createDataLines } from '../output/data-lines.ts';
import { relativePath } from '../output/relative-path.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface AuditSettings {
  readonly dataDir?: string;
  readonly cacheDir?: string;
  readonly json?: boolean;
}

/** `gradwire audit`. */
export function auditCommand(context: CommandContext): Command {
  const command = new Command('audit')
    .description('Prove from the ledger of a run that each sample of each epoch was used exactly once.')
    .argument('<run>', 'a run folder, or runs/latest')
    .addHelpText('after', examples);
  for (const option of [options.dataDir, options.cacheDir]) command.addOption(option());
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (path: string) => {
    const settings = await prepareSettings<AuditSettings>(command, context);
    if (settings !== undefined) await audit(path, settings, context);
  });
}

async function audit(path: string, settings: AuditSettings, context: CommandContext): Promise<void> {
  const { console, signal } = context;
  const run = await openRun(path);
  const { dataDir, cacheDir, json } = settings;
  const onEvent = createDataLines(console);
  const { train } = await loadDataset(run.recipe.dataset, { dataDir, cacheDir, signal, onEvent });
  const { seed, validationShare = 0 } = run.recipe;
  const { training } = trainingIndices(train.count, { validationShare, seed });
  const data = { classNames: train.classNames, statistics: statisticsOf(run.recipe, train) };
  const found = await auditRun(run, training.length, data);
  if (found.problems.length > 0) context.exit(exitCodes.difference.code);
  if (json) console.json({ run: run.directory.path, isClean: found.problems.length === 0, ...found });
  else console.print(describe(run, found).join('\n'));
}

function describe({ directory, summary }: OpenRun, audit: RunAudit): string[] {
  const { steps, totalSteps, contributions, samples, wholeEpochs, snapshots, hasModel, problems } = audit;
  const { incidents } = audit;
  const known =
    incidents.length > 0 ? [`  ${plural(incidents.length, 'incident')}, the last: ${incidents.at(-1)}`] : [];
  const most = 20;
  const name = relativePath(directory.path);
  if (problems.length > 0) {
    const more = problems.length > most ? [`  … and ${formatCount(problems.length - most)} more`] : [];
    return [
      `${name}: ${problems.length} found`,
      ...problems.slice(0, most).map((each) => `  ${each}`),
      ...more,
      ...known,
    ];
  }
  const compared = [
    plural(snapshots, 'snapshot'),
    ...(hasModel ? ['model'] : []),
    ...(summary ? ['summary'] : []),
  ];
  return [
    `${name}: clean`,
    `  ${formatCount(steps)} of ${formatCount(totalSteps)} steps, ${formatCount(contributions)} contributions: every shard of every step once`,
    `  ${formatCount(samples)} uses of samples: ${plural(wholeEpochs, 'whole epoch')}, each sample once in each, none twice in what follows`,
    `  the chain is whole, up to ${audit.chain.slice(0, 16)}…; it fits ${compared.join(', ')}`,
    ...known,
  ];
}

const examples = `
The exit code is 12 if something does not fit.

Examples:
  gradwire audit runs/latest
  gradwire audit runs/0003-mnist-cnn --json`;
