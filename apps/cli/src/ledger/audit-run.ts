import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openSnapshots, readModel, weightsSha256 } from '@gradwire/checkpoint';
import { parseIncidents } from '@gradwire/coordinator';
import { plainVectors } from '@gradwire/engine';
import { GradwireError, showValue, toError } from '@gradwire/errors';
import { countSteps } from '@gradwire/recipes';
import { auditLedger, type LedgerAudit } from './audit-ledger.ts';
import { auditManifest, type DataFacts } from './audit-manifest.ts';
import { auditMetrics } from './audit-metrics.ts';
import { auditSummary } from './audit-summary.ts';
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
 * each sample of each epoch was used once, and that snapshots, model, metrics and summary belong to that ledger. `data`:
 * what the model's class names and statistics are compared with.
 */
export async function auditRun(run: OpenRun, trainingCount: number, data: DataFacts = {}): Promise<RunAudit> {
  const { ledger, recipe } = run;
  const audit = auditLedger(ledger.lines, { recipe, trainingCount });
  const steps = countSteps(recipe, trainingCount);
  const metrics = await auditMetrics(run);
  const snapshots = await auditSnapshots(run);
  const model = await auditModel(run, data);
  const problems = [
    ...ledger.faults.map((fault) => `ledger.jsonl, ${fault}`),
    ...audit.problems,
    ...metrics.problems,
    ...snapshots.problems,
    ...model.problems,
    ...auditSummary(run, { samples: audit.samples, steps, metrics: metrics.lines }),
  ];
  return {
    ...audit,
    steps: ledger.lines.length,
    totalSteps: steps.totalSteps,
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

async function auditModel(
  run: OpenRun,
  data: DataFacts,
): Promise<{ weights?: Float32Array; problems: string[] }> {
  const { directory, ledger, summary } = run;
  try {
    const model = await readModel(directory.path);
    const { weights } = model;
    const problems = compareWeights(run, { step: lastStep(ledger.lines), weights, name: 'the model' });
    problems.push(...auditManifest(model, run.recipe, data));
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
