import { join } from 'node:path';
import type { LedgerLine } from '@gradwire/checkpoint';
import { showValue } from '@gradwire/errors';
import { lastStep, linesByStep } from './lines-by-step.ts';
import { type OpenRun, readText } from './open-run.ts';

/** A line of `metrics.jsonl` as somebody may have written it. */
export type MetricsLine = Readonly<Record<string, unknown>>;

/** The metrics of a run, and what speaks against them. */
export interface MetricsAudit {
  /** As far as they can be read. */
  readonly lines: readonly MetricsLine[];
  readonly problems: readonly string[];
}

/**
 * Compares the metrics with the ledger, and what they say twice with itself. Losses and accuracies of steps are in no
 * other file: nothing can be said of them but that the epochs' means follow from them.
 */
export async function auditMetrics({ directory, ledger }: OpenRun): Promise<MetricsAudit> {
  const text = await readText(join(directory.path, 'metrics.jsonl'));
  if (text === undefined) return { lines: [], problems: ['metrics.jsonl: no such file'] };
  const texts = text.split('\n').slice(0, -1);
  const parsed = texts.map(parseLine);
  const wrong = parsed.indexOf(undefined);
  const lines = parsed.filter((line) => line !== undefined);
  if (wrong >= 0)
    return { lines, problems: [`metrics.jsonl, line ${wrong + 1}: expected JSON, found another text`] };
  const problems = [
    ...auditSteps(ofType(lines, 'step'), ledger.lines),
    ...auditEpochs(lines),
    ...ofType(lines, 'evaluation').flatMap(auditEvaluation),
  ];
  return { lines, problems };
}

function parseLine(text: string): MetricsLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as MetricsLine) : undefined;
  } catch {
    return undefined;
  }
}

function ofType(lines: readonly MetricsLine[], wanted: string): MetricsLine[] {
  return lines.filter(({ type }) => type === wanted);
}

function auditSteps(steps: readonly MetricsLine[], ledger: readonly LedgerLine[]): string[] {
  const wrong = steps.findIndex(({ step }, i) => step !== i + 1);
  if (wrong >= 0)
    return [`metrics.jsonl: expected step ${wrong + 1}, found step ${showValue(steps[wrong]?.step)}`];
  const expected = lastStep(ledger);
  if (steps.length !== expected)
    return [`metrics.jsonl: expected the ledger's ${expected} steps, found ${steps.length}`];
  const byStep = linesByStep(ledger);
  return steps.flatMap(({ samples }, i) => {
    const line = byStep.get(i + 1);
    const inLedger = line?.contributions.reduce((sum, each) => sum + each.samples, 0) ?? samples;
    return samples === inLedger
      ? []
      : [
          `metrics.jsonl, step ${i + 1}: expected ${showValue(inLedger)} samples from the ledger, found ${showValue(samples)}`,
        ];
  });
}

/** An epoch has the means over the samples of its steps. */
function auditEpochs(lines: readonly MetricsLine[]): string[] {
  const problems: string[] = [];
  let steps: MetricsLine[] = [];
  let epoch = 0;
  for (const line of lines) {
    if (line.type === 'step') steps.push(line);
    if (line.type !== 'epoch') continue;
    epoch += 1;
    if (line.epoch !== epoch || steps.length === 0) {
      const found = `${showValue(line.epoch)} after ${steps.length} steps`;
      return [...problems, `metrics.jsonl: expected epoch ${epoch} after its steps, found ${found}`];
    }
    for (const name of ['loss', 'accuracy']) {
      const expected = meanOf(steps, name);
      if (isClose(line[name], expected)) continue;
      problems.push(
        `metrics.jsonl, epoch ${showValue(line.epoch)}: expected ${name} ${expected} from its steps, found ${showValue(line[name])}`,
      );
    }
    steps = [];
  }
  return problems;
}

function meanOf(steps: readonly MetricsLine[], name: string): number {
  const samples = steps.map((step) => numberOf(step.samples));
  return sum(steps.map((step, i) => numberOf(step[name]) * (samples[i] ?? 0))) / sum(samples);
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

/** The sums were divided by the samples and multiplied again, which rounds. Of what is not finite JSON keeps nothing. */
function isClose(found: unknown, expected: number): boolean {
  if (!Number.isFinite(expected)) return true;
  return typeof found === 'number' && Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}

/** Accuracy and number of samples follow from the confusion matrix. */
function auditEvaluation({ split, step, samples, accuracy, confusion }: MetricsLine): string[] {
  const where = `metrics.jsonl, ${showValue(split)} after step ${showValue(step)}`;
  if (!isMatrix(confusion)) return [`${where}: expected a confusion matrix, found ${showValue(confusion)}`];
  const counted = sum(confusion.flat());
  if (samples !== counted)
    return [`${where}: expected ${counted} samples from its confusion matrix, found ${showValue(samples)}`];
  const expected = sum(confusion.map((row, i) => row[i] ?? 0)) / counted;
  return counted === 0 || accuracy === expected
    ? []
    : [`${where}: expected accuracy ${expected} from its confusion matrix, found ${showValue(accuracy)}`];
}

function isMatrix(value: unknown): value is number[][] {
  return Array.isArray(value) && value.every(isRow);
}

function isRow(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
