import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openSnapshots, readModel, weightsSha256 } from '@gradwire/checkpoint';
import { parseIncidents } from '@gradwire/coordinator';
import { plainVectors } from '@gradwire/engine';
import { GradwireError, showValue, toError } from '@gradwire/errors';
import { countSteps } from '@gradwire/recipes';
import { auditLedger, type LedgerAudit } from './audit-ledger.ts';
import { lastStep, linesByStep } from './lines-by-step.ts';
import { type OpenRun, readText } from './open-run.ts';

/** What an audit has found. */
export interface RunAudit extends LedgerAudit {
  readonly steps: number;
  /** Steps of all epochs of the recipe. */
  readonly totalSteps: number;
  /** Snapshots that were compared. */
  readonly snapshots: number;
  /** Whether there is a model to compare. */
  readonly hasModel: boolean;
  readonly chain: string;
  /** What `incidents.jsonl` says: no problem of the files, but worth to know. */
  readonly incidents: readonly string[];
}

/**
 * Checks everything that a run directory says of its own training: the ledger's chain, whose shards each step used, that
 * each sample of each epoch was used once, and that snapshots, model, metrics and summary belong to that ledger.
 */
export async function auditRun(run: OpenRun, trainingCount: number): Promise<RunAudit> {
  const { ledger, recipe } = run;
  const audit = auditLedger(ledger.lines, { recipe, trainingCount });
  const { totalSteps } = countSteps(recipe, trainingCount);
  const snapshots = await auditSnapshots(run);
  const model = await auditModel(run);
  const problems = [
    ...ledger.faults.map((fault) => `ledger.jsonl, ${fault}`),
    ...audit.problems,
    ...(await auditMetrics(run)),
    ...snapshots.problems,
    ...model.problems,
    ...auditSummary(run, { ...audit, totalSteps }),
  ];
  return {
    ...audit,
    steps: ledger.lines.length,
    totalSteps,
    snapshots: snapshots.compared,
    hasModel: model.weights !== undefined,
    chain: ledger.chain,
    incidents: await incidentsIn(run),
    problems,
  };
}

async function incidentsIn({ directory }: OpenRun): Promise<string[]> {
  const text = (await readText(join(directory.path, 'incidents.jsonl'))) ?? '';
  return parseIncidents(text).map(({ message }) => message);
}

async function auditMetrics({ directory, ledger }: OpenRun): Promise<string[]> {
  const text = await readText(join(directory.path, 'metrics.jsonl'));
  if (text === undefined) return ['metrics.jsonl: no such file'];
  const steps: number[] = [];
  for (const [i, each] of text.split('\n').slice(0, -1).entries()) {
    try {
      const { type, step } = JSON.parse(each) as { type?: string; step?: number };
      if (type === 'step') steps.push(step ?? Number.NaN);
    } catch {
      return [`metrics.jsonl, line ${i + 1}: expected JSON, found another text`];
    }
  }
  const wrong = steps.findIndex((step, i) => step !== i + 1);
  if (wrong >= 0) return [`metrics.jsonl: expected step ${wrong + 1}, found step ${showValue(steps[wrong])}`];
  const expected = lastStep(ledger.lines);
  return steps.length === expected
    ? []
    : [`metrics.jsonl: expected the ledger's ${expected} steps, found ${steps.length}`];
}

async function auditSnapshots(run: OpenRun): Promise<{ compared: number; problems: string[] }> {
  const { directory, ledgerText } = run;
  const store = openSnapshots(directory.path);
  const problems: string[] = [];
  const steps = await store.steps();
  for (const step of steps) {
    const name = `the snapshot of step ${step}`;
    try {
      const { record, weights } = await store.read(step);
      if (record.recipeHash !== run.recipeHash) problems.push(`${name} belongs to another recipe`);
      problems.push(...compareWeights(run, { step, weights, name }));
      const prefix = record.files['ledger.jsonl'];
      const found = Buffer.from(ledgerText).subarray(0, prefix?.bytes ?? 0);
      if (prefix && createHash('sha256').update(found).digest('hex') !== prefix.sha256)
        problems.push(`${name}: the ledger's first ${prefix.bytes} bytes are not those of then`);
    } catch (error) {
      problems.push(`${name}: ${toError(error).message}`);
    }
  }
  return { compared: steps.length, problems };
}

interface Stored {
  readonly step: number;
  readonly weights: Float32Array;
  readonly name: string;
}

function compareWeights({ ledger }: OpenRun, { step, weights, name }: Stored): string[] {
  // Before the first step there is nothing to compare with.
  if (step === 0) return [];
  const expected = linesByStep(ledger.lines).get(step)?.weights;
  if (expected === undefined) return [`${name}: the ledger has no step ${step}`];
  const found = plainVectors.checksum(weights);
  return found === expected
    ? []
    : [`${name}: the ledger has weights with checksum ${expected} after step ${step}, found ${found}`];
}

async function auditModel(run: OpenRun): Promise<{ weights?: Float32Array; problems: string[] }> {
  const { directory, ledger, summary } = run;
  try {
    const { weights } = await readModel(directory.path);
    const problems = compareWeights(run, { step: lastStep(ledger.lines), weights, name: 'the model' });
    const sum = weightsSha256(weights);
    if (summary && summary.weightsSha256 !== sum)
      problems.push(
        `summary.json: expected weights with SHA-256 ${sum}, found ${showValue(summary.weightsSha256)}`,
      );
    return { weights, problems };
  } catch (error) {
    // A run that was killed has none.
    const isAbsent = error instanceof GradwireError && error.code === 'DATA_NOT_FOUND';
    return { problems: isAbsent && !summary ? [] : [`the model: ${toError(error).message}`] };
  }
}

function auditSummary(
  { summary, ledger }: OpenRun,
  { samples, totalSteps }: { readonly samples: number; readonly totalSteps: number },
): string[] {
  if (summary === undefined) return [];
  const expected = { steps: lastStep(ledger.lines), samplesSeen: samples, ledgerChain: ledger.chain };
  const problems = Object.entries(expected).flatMap(([name, value]) => {
    const found = summary[name as keyof typeof expected];
    return found === value
      ? []
      : [`summary.json: expected ${name} ${value} from the ledger, found ${showValue(found)}`];
  });
  if (summary.outcome === 'finished' && ledger.lines.length !== totalSteps)
    problems.push(`expected ${totalSteps} steps of a finished run, found ${ledger.lines.length}`);
  return problems;
}
