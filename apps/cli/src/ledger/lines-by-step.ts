import type { LedgerLine } from '@gradwire/checkpoint';

/**
 * The lines of a ledger by their step. A line's place in the file says nothing once another one is damaged; of two lines
 * of one step the first counts.
 */
export function linesByStep(lines: readonly LedgerLine[]): ReadonlyMap<number, LedgerLine> {
  return new Map(lines.toReversed().map((line) => [line.step, line]));
}

/** Steps that a ledger goes up to, those included whose line is damaged; 0 if it has none. */
export function lastStep(lines: readonly LedgerLine[]): number {
  return lines.reduce((last, { step }) => Math.max(last, step), 0);
}
