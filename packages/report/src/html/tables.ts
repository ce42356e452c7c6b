import { checkSquare, classificationReport } from '../figures/classification.ts';
import type { WorkerSummary } from '../summary.ts';
import { formatCount, formatPercent } from '../text/format.ts';
import { escapeHtml } from './escape.ts';

/** The confusion matrix: the stronger the colour, the larger the share of the actual class. */
export function confusionTable(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
): string {
  checkSquare(confusion, classNames);
  // Words stand upright over their columns, so that ten of them fit beside one another.
  const upright = classNames.some((name) => name.length > 4) ? ' upright' : '';
  const head = classNames.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const rows = confusion.map((row, actual) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, predicted) => heatCell(count, total, actual === predicted));
    return `<tr><th scope="row">${escapeHtml(classNames[actual] as string)}</th>${cells.join('')}</tr>`;
  });
  return scrolling(
    `<table class="confusion${upright}"><caption>Rows: actual. Columns: predicted.</caption>
<thead><tr><td></td>${head}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`,
  );
}

function heatCell(count: number, total: number, hit: boolean): string {
  if (count === 0) return '<td class="none">0</td>';
  // The square root lets a handful of mistakes among a thousand samples be seen.
  const heat = Math.sqrt(count / total);
  return `<td class="${hit ? 'hit' : 'miss'}" style="--heat:${heat.toFixed(3)}">${formatCount(count)}</td>`;
}

/** Precision, recall, F1 and number of samples of each class. */
export function classTable(confusion: readonly (readonly number[])[], classNames: readonly string[]): string {
  const { classes, macro, support } = classificationReport(confusion, classNames);
  const rows = classes.map((score) => row(score.name, [...shares(score), formatCount(score.support)]));
  const foot = row('mean', [...shares(macro), formatCount(support)]);
  return scrolling(`<table><thead>${headRow(['class', 'precision', 'recall', 'F1', 'samples'])}</thead>
<tbody>${rows.join('\n')}</tbody><tfoot>${foot}</tfoot></table>`);
}

/** What each worker did. */
export function workersTable(workers: readonly WorkerSummary[]): string {
  const total = workers.reduce((sum, { leases }) => sum + leases, 0);
  const rows = workers.map(({ name, backend, numericsClass, leases }) => {
    const share = total === 0 ? '' : formatPercent(leases / total, 1);
    const cells = [backend, shorter(numericsClass), formatCount(leases), share];
    return row(name, cells);
  });
  return scrolling(`<table><thead>${headRow(['worker', 'backend', 'numerics class', 'leases', 'share'])}</thead>
<tbody>${rows.join('\n')}</tbody></table>`);
}

function shares(score: { precision: number; recall: number; f1: number }): string[] {
  return [score.precision, score.recall, score.f1].map((share) => formatPercent(share));
}

function headRow(names: readonly string[]): string {
  return `<tr>${names.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')}</tr>`;
}

function row(name: string, cells: readonly string[]): string {
  return `<tr><th scope="row">${escapeHtml(name)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
}

function shorter(hash: string): string {
  return /^[0-9a-f]{24,}$/.test(hash) ? `${hash.slice(0, 12)}…` : hash;
}

function scrolling(table: string): string {
  return `<div class="scroll" tabindex="0">${table}</div>`;
}
