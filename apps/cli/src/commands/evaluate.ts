import { basename } from 'node:path';
import { Command } from 'commander';
import { type Dataset, datasetFromIdx } from '@gradwire/data';
import { readIdxFile } from '@gradwire/data/node';
import { GradwireError } from '@gradwire/errors';
import {
  classificationReport,
  formatClassification,
  formatConfusion,
  formatCount,
  formatLoss,
  formatPercent,
} from '@gradwire/report';
import { loadDataset } from '../datasets.ts';
import { type Evaluation, evaluateDataset } from '../model/evaluate-dataset.ts';
import { type OpenModel, openModel } from '../model/open-model.ts';
import { createDataLines } from '../output/data-lines.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { relativePath } from '../output/relative-path.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface EvaluateSettings {
  readonly backend: 'auto' | 'wasm' | 'native';
  readonly images?: string;
  readonly labels?: string;
  readonly dataDir?: string;
  readonly cacheDir?: string;
  readonly json?: boolean;
}

/** `gradwire evaluate`. */
export function evaluateCommand(context: CommandContext): Command {
  const command = new Command('evaluate')
    .description("Measure a trained model on the test set of its recipe's data, or on any pair of IDX files.")
    .argument('<model>', 'a run folder, its model folder, or runs/latest')
    .addHelpText('after', examples);
  const { images, labels, backend, dataDir, cacheDir } = options;
  for (const option of [images, labels, backend, dataDir, cacheDir]) command.addOption(option());
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (model: string) => {
    const settings = await prepareSettings<EvaluateSettings>(command, context);
    if (settings !== undefined) await evaluate(model, settings, context);
  });
}

async function evaluate(model: string, settings: EvaluateSettings, context: CommandContext): Promise<void> {
  const files = idxPair(settings);
  const open = await openModel(model, settings.backend);
  try {
    const dataset = files ? await readPair(files, open) : await testSet(open, settings, context);
    checkShape(dataset, open, files?.images);
    const { stored, recipe, backend } = open;
    const amount = `${formatCount(dataset.count)} samples of ${dataset.name}`;
    context.console.say(
      `evaluating ${relativePath(stored.directory)} (${recipe.name}) on ${amount}, ${backend.description}`,
    );
    const evaluation = await evaluateDataset(open, dataset, {
      signal: context.signal,
      onBlock: createProgress(context, dataset.count),
    });
    context.console.settle();
    showEvaluation({ open, dataset, evaluation }, context, settings.json === true);
  } finally {
    open.trainer.dispose();
  }
}

interface IdxPair {
  readonly images: string;
  readonly labels: string;
}

/** The files that were given. Throws OPTION_INVALID if one of the two is missing. */
function idxPair({ images, labels }: EvaluateSettings): IdxPair | undefined {
  if (images === undefined && labels === undefined) return undefined;
  if (images !== undefined && labels !== undefined) return { images, labels };
  const [given, missing] = images === undefined ? ['--labels', '--images'] : ['--images', '--labels'];
  throw new GradwireError('OPTION_INVALID', `${given} is given, but ${missing} is not`, {
    hint: 'Give both: an IDX file of images, and the IDX file of their labels.',
  });
}

async function readPair(files: IdxPair, { stored: { classNames } }: OpenModel): Promise<Dataset> {
  return datasetFromIdx({
    name: basename(files.images),
    split: 'test',
    images: await readIdxFile(files.images),
    labels: await readIdxFile(files.labels),
    classNames,
    sources: files,
  });
}

async function testSet(
  { recipe }: OpenModel,
  settings: EvaluateSettings,
  context: CommandContext,
): Promise<Dataset> {
  const { dataDir, cacheDir } = settings;
  const { console, signal } = context;
  const { test } = await loadDataset(recipe.dataset, {
    dataDir,
    cacheDir,
    signal,
    onEvent: createDataLines(console),
  });
  return test;
}

function checkShape(
  { name, sampleShape }: Dataset,
  { recipe, stored }: OpenModel,
  file: string | undefined,
): void {
  const [expected, found] = [recipe.model.inputShape.join(' x '), sampleShape.join(' x ')];
  if (expected === found) return;
  const message = `${file ?? name}: expected samples of ${expected}, as the model in ${stored.directory} takes, found ${found}`;
  throw new GradwireError('DATA_MISMATCH', message, {
    hint: 'Give images of the kind that the model was trained on.',
  });
}

function createProgress({ console }: CommandContext, total: number): (samples: number) => void {
  const progress = createProgressLine(console);
  return (samples) => progress(`${formatCount(samples)} of ${formatCount(total)} samples`);
}

interface Result {
  readonly open: OpenModel;
  readonly dataset: Dataset;
  readonly evaluation: Evaluation;
}

function showEvaluation(
  { open, dataset, evaluation }: Result,
  { console }: CommandContext,
  json: boolean,
): void {
  const { stored, recipe, backend, answers } = open;
  const { samples, loss, accuracy, confusion } = evaluation;
  const { weightsSha256 } = stored;
  const report = classificationReport(confusion, answers);
  if (json) {
    const model = { directory: stored.directory, recipe: recipe.name };
    const perClass = report.classes;
    const data = {
      model,
      backend: backend.name,
      dataset: dataset.name,
      samples,
      loss,
      accuracy,
      confusion,
      perClass,
    };
    return console.json({ ...data, weightsSha256 });
  }
  // stdout may be a file although stderr is a terminal.
  const look = process.stdout.isTTY ? { colors: console.colors } : {};
  const figures = [
    `samples   ${formatCount(samples)}`,
    `loss      ${formatLoss(loss)}`,
    `accuracy  ${formatPercent(accuracy)}`,
    `weights   SHA-256 ${weightsSha256}`,
  ];
  const tables = [formatConfusion(confusion, answers, look), formatClassification(report, look)];
  console.print([figures.join('\n'), ...tables].join('\n\n'));
}

const examples = `
Examples:
  gradwire evaluate runs/latest
  gradwire evaluate runs/0003-mnist-cnn --backend wasm --json
  gradwire evaluate runs/latest --images t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz`;
