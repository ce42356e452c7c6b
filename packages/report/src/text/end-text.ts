import { classificationReport } from '../figures/classification.ts';
import type { Curve, Summary } from '../summary.ts';
import { formatClassification } from './classification.ts';
import { type Colors, plainColors } from './colors.ts';
import { formatConfusion } from './confusion.ts';
import { formatCount, formatDuration, formatLoss, formatPercent, plural } from './format.ts';
import type { NextCommand } from './next-commands.ts';
import { sparkLine } from './spark-line.ts';

/** What {@link formatEnd} shows besides the summary. */
export interface EndDetails {
  readonly classNames: readonly string[];
  readonly curve: Curve;
  /** Files written, as a person would type them. */
  readonly files: readonly string[];
  readonly commands: readonly NextCommand[];
  readonly colors?: Colors;
}

/**
 * The text at the end of a run: outcome, figures, spark-lines, confusion matrix, scores, hash, files, commands.
 *
 * @example
 * console.error(formatEnd(summary, { classNames, curve, files, commands: nextCommands(summary.directory) }));
 */
export function formatEnd(summary: Summary, details: EndDetails): string {
  const colors = details.colors ?? plainColors;
  const blocks = [
    title(summary, colors),
    figures(summary, details.curve, colors),
    ...matrixBlocks(summary, details.classNames, colors),
    listing('Files', details.files, colors),
    listing(
      'Next',
      details.commands.map(({ label, command }) => `${label.padEnd(10)}${colors.cyan(command)}`),
      colors,
    ),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function title({ outcome, failure, recipe, seconds }: Summary, colors: Colors): string {
  const time = formatDuration(seconds);
  if (outcome === 'finished') return colors.bold(`${colors.green('✓')} ${recipe} finished in ${time}`);
  if (outcome === 'stopped') return colors.bold(`${colors.yellow('■')} ${recipe} was stopped after ${time}`);
  const why = failure ? `\n  ${failure.message} (${failure.code})` : '';
  return `${colors.bold(`${colors.red('✗')} ${recipe} failed after ${time}`)}${why}`;
}

function figures(summary: Summary, { loss, accuracy }: Curve, colors: Colors): string {
  const { testAccuracy, testLoss, exact, workers, incidents = 0 } = summary;
  const rows: [string, string][] = [];
  if (testAccuracy !== null)
    rows.push(['test accuracy', colors.bold(colors.green(formatPercent(testAccuracy)))]);
  if (testLoss !== null) rows.push(['test loss', formatLoss(testLoss)]);
  if (loss.length > 0) rows.push(['train loss', `${spark(loss, 'log', colors)}  ${ends(loss, formatLoss)}`]);
  if (accuracy.length > 0)
    rows.push(['train accuracy', `${spark(accuracy, 'linear', colors)}  ${ends(accuracy, formatPercent)}`]);
  rows.push(
    [
      'steps',
      `${formatCount(summary.steps)} (${plural(summary.epochs, 'whole epoch')}), seed ${summary.seed}`,
    ],
    ['samples', `${formatCount(summary.samplesSeen)}, ${formatCount(summary.samplesPerSecond)} a second`],
    ...workers.map((worker, index): [string, string] => [
      index === 0 ? 'workers' : '',
      `${worker.name} (${worker.backend}), ${plural(worker.leases, 'lease')}`,
    ]),
    [
      'exact',
      exact === true ? 'yes: the same weights with any number of workers' : colors.yellow(`no: ${exact}`),
    ],
    ...(incidents > 0
      ? [['incidents', colors.yellow(`${formatCount(incidents)}: see incidents.jsonl`)] as [string, string]]
      : []),
    ['weights', `sha256 ${summary.weightsSha256}`],
  );
  return rows.map(([label, text]) => `  ${colors.dim(label.padEnd(14))} ${text}`).join('\n');
}

function spark(values: readonly number[], scale: 'linear' | 'log', colors: Colors): string {
  return colors.cyan(sparkLine(values, { width: 32, scale }));
}

function ends(values: readonly number[], format: (value: number) => string): string {
  return `${format(values[0] as number)} → ${format(values.at(-1) as number)}`;
}

function matrixBlocks({ confusion }: Summary, classNames: readonly string[], colors: Colors): string[] {
  // Wider matrices are for the HTML report.
  if (confusion === null || classNames.length > 20) return [];
  const scores = formatClassification(classificationReport(confusion, classNames), { colors });
  return [indent(formatConfusion(confusion, classNames, { colors })), indent(scores)];
}

function listing(name: string, lines: readonly string[], colors: Colors): string {
  return lines.length === 0
    ? ''
    : [`  ${colors.bold(name)}`, ...lines.map((line) => `    ${line}`)].join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
