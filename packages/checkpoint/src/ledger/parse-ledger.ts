import { chainOf, type LedgerLine } from './ledger-line.ts';

/** A ledger as far as it can be read, and what is wrong with its text. */
export interface ParsedLedger {
  readonly lines: readonly LedgerLine[];
  /** Sentences, each with the number of the line; empty if the chain is whole. */
  readonly faults: readonly string[];
  /** The chain value of the last line. */
  readonly chain: string;
}

/**
 * Reads the text of a `ledger.jsonl` and follows its chain. Damage is no error here but part of the answer.
 *
 * @param first The hash of the run's recipe, where the chain begins.
 */
export function parseLedger(text: string, first: string): ParsedLedger {
  const lines: LedgerLine[] = [];
  const faults: string[] = [];
  let chain = first;
  const texts = text.split('\n');
  const rest = texts.pop() ?? '';
  for (const [i, each] of texts.entries()) {
    const line = parseLine(each);
    if (line === undefined) {
      faults.push(`line ${i + 1}: expected a step with its contributions, found ${excerpt(each)}`);
      continue;
    }
    const expected = chainOf(chain, each);
    if (line.chain !== expected) faults.push(brokenAt(i, line, expected));
    // Later lines are judged by what this one says, so that one change is one fault.
    chain = line.chain;
    lines.push(line);
  }
  if (rest !== '') faults.push(`line ${texts.length + 1}: the file ends within it, after ${excerpt(rest)}`);
  return { lines, faults, chain };
}

function brokenAt(i: number, { step, chain }: LedgerLine, expected: string): string {
  const cause =
    i === 0
      ? 'it was changed, lines before it are gone, or the ledger belongs to another recipe'
      : 'it was changed, moved or added, or lines before it are gone';
  return `line ${i + 1} (step ${step}): the chain is broken, expected ${expected.slice(0, 16)}…, found ${chain.slice(0, 16)}…: ${cause}`;
}

function excerpt(text: string): string {
  return text.length > 60 ? `${JSON.stringify(text.slice(0, 60))}…` : JSON.stringify(text);
}

function parseLine(text: string): LedgerLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isLine(value) ? value : undefined;
}

function isLine(value: unknown): value is LedgerLine {
  if (!isRecord(value)) return false;
  const { step, batch = 0, contributions, weights, chain } = value;
  return (
    [step, batch].every(isCount) &&
    isHex(weights, 32) &&
    isHex(chain, 64) &&
    Array.isArray(contributions) &&
    contributions.every(isContribution)
  );
}

function isContribution(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { worker, numericsClass, lo, hi, samples, sum } = value;
  const names = [worker, numericsClass].every((name) => typeof name === 'string');
  return names && [lo, hi, samples].every(isCount) && isHex(sum, 32);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isHex(value: unknown, digits: number): boolean {
  return typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value);
}
