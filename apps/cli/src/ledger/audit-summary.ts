import type { LedgerLine } from '@gradwire/checkpoint';
import { showValue } from '@gradwire/errors';
import { canonicalJson, type Recipe, type StepCounts } from '@gradwire/recipes';
import type { Summary } from '@gradwire/report';
import type { MetricsLine } from './audit-metrics.ts';
import { lastStep } from './lines-by-step.ts';
import type { OpenRun } from './open-run.ts';

/** What a summary is compared with. */
export interface SummaryFacts {
  /** Uses of samples. */
  readonly samples: number;
  readonly steps: Pick<StepCounts, 'stepsPerEpoch' | 'totalSteps'>;
  readonly metrics: readonly MetricsLine[];
}

/** Compares `summary.json`, if there is one, with the recipe, the ledger and the metrics. */
export function auditSummary(run: OpenRun, facts: SummaryFacts): string[] {
  const { summary, recipe, ledger } = run;
  if (summary === undefined) return [];
  const { totalSteps } = facts.steps;
  const steps = lastStep(ledger.lines);
  const problems = [
    ...compare(summary, { recipe: recipe.name, seed: recipe.seed }, 'the recipe'),
    ...compare(summary, expectedFromLedger(run, facts), 'the ledger'),
    ...auditExactness(summary, recipe, ledger.lines),
    ...auditWorkers(summary, ledger.lines),
    ...compare(summary, expectedFromTest(facts.metrics), 'the last test in the metrics'),
  ];
  if (summary.outcome === 'finished' && steps !== totalSteps)
    problems.push(`expected ${totalSteps} steps of a finished run, found ${steps}`);
  return problems;
}

type Expected = Readonly<Partial<Record<keyof Summary, unknown>>>;

function compare(summary: Summary, expected: Expected, source: string): string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const found = summary[name as keyof Summary];
    return isSame(found, value)
      ? []
      : [`summary.json: expected ${name} ${showValue(value)} from ${source}, found ${showValue(found)}`];
  });
}

function isSame(found: unknown, expected: unknown): boolean {
  if (typeof found !== 'object' || typeof expected !== 'object') return found === expected;
  try {
    return canonicalJson(found) === canonicalJson(expected);
  } catch {
    // Nested deeper than anything that a run writes.
    return false;
  }
}

function expectedFromLedger({ ledger }: OpenRun, { samples, steps }: SummaryFacts): Expected {
  const last = lastStep(ledger.lines);
  const epochs = Math.floor(last / steps.stepsPerEpoch);
  return { steps: last, epochs, samplesSeen: samples, ledgerChain: ledger.chain };
}

function expectedFromTest(metrics: readonly MetricsLine[]): Expected {
  const last = metrics.findLast(({ type, split }) => type === 'evaluation' && split === 'test');
  return {
    testAccuracy: last?.['accuracy'] ?? null,
    testLoss: last?.['loss'] ?? null,
    confusion: last?.['confusion'] ?? null,
  };
}

/** Whether a run is exact follows from its strategy and its workers; the words why it is not do not. */
function auditExactness({ exact }: Summary, { strategy }: Recipe, lines: readonly LedgerLine[]): string[] {
  const classes = new Set(
    lines.flatMap(({ contributions }) => contributions.map(({ numericsClass }) => numericsClass)),
  );
  const isExact = classes.size === 1 && strategy?.type !== 'asynchronous';
  if (isExact ? exact === true : typeof exact === 'string') return [];
  const expected = isExact ? 'true' : 'why the run is not exact';
  return [`summary.json: expected exact to be ${expected}, found ${showValue(exact)}`];
}

/** Who computed how many leases, in the order of the first one. */
function auditWorkers({ workers }: Summary, lines: readonly LedgerLine[]): string[] {
  const expected = new Map<string, number>();
  for (const { contributions } of lines)
    for (const { worker, numericsClass, lo, hi } of contributions) {
      const who = nameOf(worker, numericsClass);
      expected.set(who, (expected.get(who) ?? 0) + hi - lo);
    }
  const found = new Map(listOf(workers).map((each) => [nameOf(each.name, each.numericsClass), each.leases]));
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((who) =>
    found.get(who) === expected.get(who)
      ? []
      : [
          `summary.json: expected ${expected.get(who) ?? 'no'} leases of ${who} from the ledger, found ${showValue(found.get(who) ?? 'none')}`,
        ],
  );
}

function nameOf(worker: unknown, numericsClass: unknown): string {
  return `${typeof worker === 'string' ? worker : showValue(worker)} (${showValue(numericsClass)})`;
}

/** A file may hold anything. */
function listOf(workers: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(workers)) return [];
  return workers.filter((each) => typeof each === 'object' && each !== null);
}
