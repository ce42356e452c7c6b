/**
 * Lays rows out in columns, two spaces apart. The first column is aligned to the left, the others to the right.
 * `paint` may colour a cell after it was padded, so that colours do not disturb the widths.
 */
export function columns(
  rows: readonly (readonly string[])[],
  paint: (text: string, row: number, column: number) => string = (text) => text,
): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  );
  return rows.map((row, r) =>
    row
      .map((cell, c) =>
        paint(c === 0 ? cell.padEnd(widths[c] as number) : cell.padStart(widths[c] as number), r, c),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** Shortens a text to `width` signs. */
export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
