/** A Markdown table; the first row is the head. Columns are padded, so that the source can be read too. */
export function table(rows) {
  const cells = rows.map((row) => row.map((cell) => `${cell ?? ''}`));
  const widths = cells[0].map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [head, ...body] = cells;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

/** `12,345`, or with decimals; empty for what was not measured. */
export function number(value, decimals = 0) {
  if (value === undefined || value === null || Number.isNaN(value)) return '';
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

export function percent(share, decimals = 1) {
  return share === undefined ? '' : `${number(share * 100, decimals)} %`;
}

/** Rows of target, limit and what was found: `{ what, limit, found, most }`; `most`: it must not be above the limit. */
export function targets(rows) {
  const judged = rows.map(({ what, limit, found, most = false, decimals = 2 }) => [
    what,
    `${most ? 'at most' : 'at least'} ${number(limit, decimals)}`,
    found === undefined ? 'not measured' : number(found, decimals),
    found === undefined ? '' : (most ? found <= limit : found >= limit) ? 'yes' : 'no',
  ]);
  return table([['aim', 'limit', 'measured', 'reached'], ...judged]);
}

/** One line for each contestant that was left out. */
export function leftOut(results) {
  const reasons = new Map(
    results.filter(({ skipped }) => skipped).map(({ name, skipped }) => [name, skipped]),
  );
  return [...reasons].map(([name, reason]) => `Left out: ${name} (${reason}).`).join('\n');
}

/** `1 process`, `2 processes`. */
export function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`;
}
