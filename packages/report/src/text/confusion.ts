import { checkSquare } from '../figures/classification.ts';
import { type Colors, plainColors } from './colors.ts';
import { columns, shorten } from './columns.ts';

/**
 * A confusion matrix as an aligned table: a row for each actual class, a column for each predicted one. Zeros outside
 * the diagonal are dots, so that the mistakes stand out.
 *
 * @throws RangeError if the matrix is not square or does not fit the names.
 *
 * @example
 * console.log(formatConfusion([[9, 1], [0, 10]], ['cat', 'dog']));
 */
export function formatConfusion(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
  options: { readonly colors?: Colors } = {},
): string {
  checkSquare(confusion, classNames);
  const colors = options.colors ?? plainColors;
  const names = classNames.map((name) => shorten(name, 12));
  const rows = confusion.map((row, actual) => [
    names[actual] as string,
    ...row.map((count, predicted) => (count === 0 && actual !== predicted ? '·' : String(count))),
  ]);
  const lines = columns([['actual', ...names], ...rows], (text, row, column) => {
    if (row === 0 || column === 0) return colors.dim(text);
    if (row === column) return colors.bold(colors.green(text));
    return text.trim() === '·' ? colors.dim(text) : colors.red(text);
  });
  const width = columns([['actual', ...names], ...rows])[0]?.length ?? 0;
  return [colors.dim('predicted'.padStart(Math.max(width, 9))), ...lines].join('\n');
}
