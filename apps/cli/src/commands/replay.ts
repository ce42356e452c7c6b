import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { statisticsOf } from '@gradwire/coordinator';
import { formatCount } from '@gradwire/report';
import { openBench } from '@gradwire/worker';
import { loadDataset } from '../datasets.ts';
import { exitCodes } from '../exit-codes.ts';
import { backendOf } from '../ledger/backend-of.ts';
import { openRun } from '../ledger/open-run.ts';
import {
  findContributions,
  type Replay,
  type ReplayedContribution,
  type ReplayQuestion,
  replayStep,
} from '../ledger/replay-step.ts';
import { createDataLines } from '../output/data-lines.ts';
import { relativePath } from '../output/relative-path.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface ReplaySettings extends ReplayQuestion {
  readonly backend: 'auto' | 'wasm' | 'native';
  readonly threads?: number;
  readonly dataDir?: string;
  readonly cacheDir?: string;
  readonly json?: boolean;
}

/** `gradwire replay`. */
export function replayCommand(context: CommandContext): Command {
  const command = new Command('replay')
    .description('Compute one contribution of a run again, on this machine, and compare it with the ledger.')
    .argument('<run>', 'a run folder, or runs/latest')
    .addHelpText('after', examples);
  const { step, shard, threads, backend, dataDir, cacheDir } = options;
  for (const option of [step, shard, threads, backend, dataDir, cacheDir]) command.addOption(option());
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (path: string) => {
    const settings = await prepareSettings<ReplaySettings>(command, context);
    if (settings !== undefined) await replay(path, settings, context);
  });
}

async function replay(path: string, settings: ReplaySettings, context: CommandContext): Promise<void> {
  const { console, signal, exit } = context;
  const { dataDir, cacheDir, json, step, shard, threads = availableParallelism() } = settings;
  const run = await openRun(path);
  const { line, contributions } = findContributions(run, { step, shard });
  const { recipe } = run;
  const onEvent = createDataLines(console);
  const data = await loadDataset(recipe.dataset, { dataDir, cacheDir, signal, onEvent });
  const backend = settings.backend === 'auto' ? backendOf([{ ...line, contributions }]) : settings.backend;
  const statistics = statisticsOf(recipe, data.train);
  await using bench = await openBench({ backend, threads, recipe, statistics, data });
  console.live(`computing step ${step} again …`);
  const found = await replayStep({ run, data, bench, signal }, { step, shard });
  console.settle();
  const isEqual = !found.isDeadEnd && found.contributions.every(isSame);
  if (!isEqual) exit(exitCodes.difference.code);
  if (json) console.json({ run: run.directory.path, asked: { step, shard }, isEqual, ...found });
  else console.print([relativePath(run.directory.path), ...describe(found, step)].join('\n'));
}

function isSame({ sum, computed }: ReplayedContribution): boolean {
  return sum === computed;
}

function describe(found: Replay, asked: number): string[] {
  const { from, step, isDeadEnd, isKnownStart, contributions, notes } = found;
  const start = from === 0 ? 'the initial weights' : `the snapshot of step ${formatCount(from)}`;
  const way = isDeadEnd
    ? `step ${formatCount(asked)} cannot be reached from ${start}: after step ${formatCount(step)} the ledger has other weights`
    : `step ${formatCount(step)} begins with ${isKnownStart ? "the ledger's weights" : 'weights'}, computed from ${start}`;
  const isOpen = !isKnownStart && !contributions.every(isSame);
  const open = isOpen ? [`the ledger lacks the step before it: what differs may have begun there`] : [];
  const update =
    isDeadEnd && contributions.every(isSame)
      ? [`all gradients of step ${formatCount(step)} are equal: the update differs, or the ledger's weights`]
      : [];
  return [...notes, way, ...open, ...contributions.map((each) => describeOne(each, step)), ...update].map(
    (text) => `  ${text}`,
  );
}

function describeOne(contribution: ReplayedContribution, step: number): string {
  const { worker, numericsClass, lo, hi, sum, computed } = contribution;
  const shards = hi - lo === 1 ? `shard ${lo}` : `the sum over shards ${lo} to ${hi - 1}`;
  const what = `step ${formatCount(step)}, ${shards}, from ${worker} (${numericsClass})`;
  return isSame(contribution)
    ? `${what}: equal, checksum ${sum}`
    : `${what}: not equal: the ledger has checksum ${sum}, computed here ${computed}`;
}

const examples = `
A contribution may be the sum over several shards: then that sum is computed. The weights come from the nearest snapshot
before the step, and from there step by step. The exit code is 12 if something differs.

Examples:
  gradwire replay runs/latest --step 137 --shard 5
  gradwire replay runs/0001-mnist-cnn --step 12 --json`;
