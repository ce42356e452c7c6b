import { createHash } from 'node:crypto';
import type { Contribution } from '@gradwire/engine';

/** What the ledger says of one step. */
export interface LedgerEntry {
  /** From 1. */
  readonly step: number;
  /** Asynchronous training only: which batch of the epoch it used, from 0; else they are used in order. */
  readonly batch?: number;
  /** From left to right in the tree. */
  readonly contributions: readonly Contribution[];
  /** Checksum of the weights after the step; see `VectorMath` of `@gradwire/engine`. */
  readonly weights: string;
}

/** A line of `ledger.jsonl`. */
export interface LedgerLine extends LedgerEntry {
  /** SHA-256 of the chain value before it, a line feed, and the line's JSON without `chain`. */
  readonly chain: string;
}

/**
 * Links an entry to all lines before it.
 *
 * @param previous The chain value of the line before; for the first one the hash of the run's recipe.
 */
export function chainEntry(previous: string, entry: LedgerEntry): LedgerLine {
  return { ...entry, chain: link(previous, JSON.stringify(entry)) };
}

/** The chain value that the text of a line should end with. */
export function chainOf(previous: string, line: string): string {
  return link(previous, `${line.slice(0, line.lastIndexOf(',"chain":'))}}`);
}

function link(previous: string, text: string): string {
  return createHash('sha256').update(`${previous}\n${text}`).digest('hex');
}
