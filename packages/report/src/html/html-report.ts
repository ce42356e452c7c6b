import type { Curve, Evaluation, Summary } from '../summary.ts';
import { formatCount, formatDuration, formatLoss, formatPercent } from '../text/format.ts';
import { linearAxis, lossAxis } from './axis.ts';
import { renderChart } from './chart.ts';
import { escapeHtml } from './escape.ts';
import { style } from './style.ts';
import { classTable, confusionTable, workersTable } from './tables.ts';

/** What the report shows. */
export interface RunReport {
  readonly summary: Summary;
  readonly curve: Curve;
  readonly evaluations: readonly Evaluation[];
  /** Names of the confusion matrix's rows and columns. */
  readonly classNames: readonly string[];
}

/**
 * A run as one HTML page that needs nothing else: no script, no file, no network. It can be mailed and printed.
 *
 * @example
 * await writeFileWhole('report.html', renderHtmlReport({ summary, curve, evaluations, classNames }));
 */
export function renderHtmlReport(run: RunReport): string {
  const { summary } = run;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(summary.recipe)} – training report</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(summary.recipe)}</h1>
<p class="lead">${escapeHtml(lead(summary))}</p>
${failure(summary)}
${figures(summary)}
${curves(run)}
${matrices(run)}
${section('Workers', workersTable(summary.workers))}
${facts(summary)}
</main>
</body>
</html>
`;
}

function lead({ outcome, seconds, epochs, steps }: Summary): string {
  const verb = { finished: 'Finished after', stopped: 'Stopped after', failed: 'Failed after' }[outcome];
  const passes = `${formatCount(epochs)} ${epochs === 1 ? 'epoch' : 'epochs'}`;
  return `${verb} ${formatDuration(seconds)}, ${passes}, ${formatCount(steps)} steps.`;
}

function failure({ failure: reason }: Summary): string {
  if (reason === undefined) return '';
  return `<p class="failure"><strong>${escapeHtml(reason.code)}</strong> ${escapeHtml(reason.message)}</p>`;
}

function figures(summary: Summary): string {
  const { testAccuracy, testLoss } = summary;
  const entries: [string, string][] = [
    ['Test accuracy', testAccuracy === null ? '–' : formatPercent(testAccuracy)],
    ['Test loss', testLoss === null ? '–' : formatLoss(testLoss)],
    ['Samples used', formatCount(summary.samplesSeen)],
    ['Samples a second', formatCount(summary.samplesPerSecond)],
    ['Workers', formatCount(summary.workers.length)],
    ['Time', formatDuration(summary.seconds)],
  ];
  const items = entries.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`);
  return `<dl class="figures">${items.join('')}</dl>`;
}

function curves({ curve, evaluations }: RunReport): string {
  if (curve.loss.length === 0) return '';
  const losses = evaluations.map(({ step, loss }) => ({ step, value: loss }));
  const accuracies = evaluations.map(({ step, accuracy }) => ({ step, value: accuracy }));
  const loss = renderChart({
    title: 'Loss',
    training: curve.loss,
    evaluations: losses,
    axis: lossAxis([...curve.loss, ...losses.map(({ value }) => value)]),
    format: (value) => String(value),
  });
  const accuracy = renderChart({
    title: 'Accuracy',
    training: curve.accuracy,
    evaluations: accuracies,
    axis: linearAxis(0, 1),
    format: (value) => formatPercent(value, 0),
  });
  return `<div class="pair">${section('Loss', legend + loss)}${section('Accuracy', legend + accuracy)}</div>`;
}

const legend = `<p class="legend"><span><i style="background:var(--training)"></i>training</span>
<span><i style="background:var(--evaluation)"></i>evaluation</span></p>`;

function matrices({ summary: { confusion }, classNames }: RunReport): string {
  if (confusion === null) return '';
  const matrix = section('Confusion matrix of the test set', confusionTable(confusion, classNames));
  return `<div class="pair">${matrix}${section('Classes', classTable(confusion, classNames))}</div>`;
}

function facts(summary: Summary): string {
  const exact =
    summary.exact === true ? 'yes: the same weights with any number of workers' : `no: ${summary.exact}`;
  const entries: [string, string][] = [
    ['Weights (SHA-256)', `<code>${escapeHtml(summary.weightsSha256)}</code>`],
    ['Exact', escapeHtml(exact)],
    ['Seed', String(summary.seed)],
    ['Backend', escapeHtml(summary.backend)],
    ['Run directory', `<code>${escapeHtml(summary.directory)}</code>`],
  ];
  const items = entries.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`);
  return section('Facts', `<dl class="facts">${items.join('')}</dl>`);
}

function section(title: string, content: string): string {
  return `<section><h2>${title}</h2>${content}</section>`;
}
