import { join } from 'node:path';
import { weightsSha256, writeFileWhole, writeModel } from '@gradwire/checkpoint';
import type { EnginePlan } from '@gradwire/engine';
import { toError } from '@gradwire/errors';
import { layersModelArtifacts } from '@gradwire/models';
import { answerNames, type FeatureStatistics } from '@gradwire/preprocess';
import type { Recipe } from '@gradwire/recipes';
import { renderHtmlReport, type Summary } from '@gradwire/report';
import type { Ended } from './ending.ts';
import type { RunResult } from './events.ts';
import { exactness } from './exactness.ts';
import type { Recorder } from './recorder.ts';
import type { Run } from './run.ts';
import type { Sessions } from './sessions.ts';

/** What the files at the end of a run are made from. */
export interface ResultSource {
  readonly run: Run;
  readonly recorder: Recorder;
  readonly sessions: Sessions;
  readonly plan: EnginePlan;
  readonly recipe: Recipe;
  readonly statistics: FeatureStatistics;
  readonly classNames: readonly string[];
  /** The run directory's path. */
  readonly directory: string;
  /** How many there were. */
  readonly incidents: number;
}

/**
 * Writes `model/`, `report.html` and, last, `summary.json`. Each is tried even if another one failed: a full disk must
 * not cost the model.
 */
export async function writeResult(source: ResultSource, { outcome, failure }: Ended): Promise<RunResult> {
  const { run, plan, recorder, recipe, statistics, classNames, directory } = source;
  // A yes-or-no task has two answers, whatever the number of classes.
  const answers = answerNames(classNames, recipe.task);
  const weights = run.engine.weights();
  const summary = summarise(source, { outcome, failure }, weights);
  const { curve, evaluations } = recorder;
  const file = (name: string): string => join(directory, name);
  const files: string[] = [file('recipe.json')];
  const problems: string[] = [];
  const attempt = async (task: () => Promise<readonly string[]>): Promise<void> => {
    try {
      files.push(...(await task()));
    } catch (error) {
      problems.push(toError(error).message);
    }
  };
  const write = (name: string, text: () => string): Promise<void> =>
    attempt(async () => {
      await writeFileWhole(file(name), text());
      return [file(name)];
    });

  await attempt(() =>
    writeModel(file('model'), {
      artifacts: layersModelArtifacts({ spec: recipe.model, task: recipe.task }, weights),
      weights,
      layout: plan.layout,
      extras: { recipe, statistics, classNames },
    }),
  );
  await attempt(async () => {
    await recorder.close();
    return [file('metrics.jsonl'), file('ledger.jsonl')];
  });
  await write('report.html', () => renderHtmlReport({ summary, curve, evaluations, classNames: answers }));
  await write('summary.json', () => `${JSON.stringify(summary, null, 2)}\n`);
  const reason = failure === undefined ? {} : { failure };
  return { outcome, summary, ...reason, classNames: answers, curve, files, problems };
}

function summarise(
  { run, recorder, recipe, sessions, directory, incidents }: ResultSource,
  { outcome, failure }: Ended,
  weights: Float32Array,
): Summary {
  const { samplesSeen, steps, lastTest, epochs, tallies } = recorder;
  const classes = [...new Set(tallies.map(({ numericsClass }) => numericsClass))];
  const workers = tallies.map(({ worker, numericsClass, leases }) => ({
    name: worker,
    backend: sessions.backends.get(numericsClass) ?? 'unknown',
    numericsClass,
    leases,
  }));
  return {
    outcome,
    ...(failure === undefined ? {} : { failure: { code: failure.code, message: failure.message } }),
    recipe: recipe.name,
    seed: recipe.seed,
    steps,
    epochs,
    samplesSeen,
    testAccuracy: lastTest?.accuracy ?? null,
    testLoss: lastTest?.loss ?? null,
    confusion: lastTest?.confusion ?? null,
    weightsSha256: weightsSha256(weights),
    ledgerChain: recorder.chain,
    seconds: run.seconds,
    samplesPerSecond: run.seconds > 0 ? samplesSeen / run.seconds : 0,
    exact: classes.length === 0 ? 'nothing was trained' : exactness(recipe, classes),
    ...(incidents > 0 ? { incidents } : {}),
    workers,
    backend: [...new Set(workers.map(({ backend }) => backend))].join(', '),
    directory,
  };
}
