import type { ClassificationReport } from '../figures/classification.ts';
import { type Colors, plainColors } from './colors.ts';
import { columns, shorten } from './columns.ts';
import { formatCount, formatPercent } from './format.ts';

/** The scores of each class and their means as an aligned table. */
export function formatClassification(
  report: ClassificationReport,
  options: { readonly colors?: Colors } = {},
): string {
  const colors = options.colors ?? plainColors;
  const rows = report.classes.map(({ name, precision, recall, f1, support }) => [
    shorten(name, 20),
    formatPercent(precision),
    formatPercent(recall),
    formatPercent(f1),
    formatCount(support),
  ]);
  const { precision, recall, f1 } = report.macro;
  const mean = [
    'mean',
    formatPercent(precision),
    formatPercent(recall),
    formatPercent(f1),
    formatCount(report.support),
  ];
  const head = ['class', 'precision', 'recall', 'F1', 'samples'];
  return columns([head, ...rows, mean], (text, row) => {
    if (row === 0) return colors.dim(text);
    return row === rows.length + 1 ? colors.bold(text) : text;
  }).join('\n');
}
