import { join } from 'node:path';
import { weightsSha256, writeFileWhole, writeModel } from '@gradwire/checkpoint';
import type { EnginePlan } from '@gradwire/engine';
import { layersModelArtifacts } from '@gradwire/models';
import { answerNames, type FeatureStatistics } from '@gradwire/preprocess';
import type { Recipe } from '@gradwire/recipes';
import { renderHtmlReport, type Summary } from '@gradwire/report';
import type { Ended } from './ending.ts';
import type { RunResult } from './events.ts';
import type { Recorder } from './recorder.ts';
import type { Run } from './run.ts';
import type { KnownWorker, Sessions } from './sessions.ts';

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
}

/** Writes `model/`, `report.html` and, last, `summary.json`. Throws FILE_WRITE_FAILED. */
export async function writeResult(source: ResultSource, { outcome, failure }: Ended): Promise<RunResult> {
  const { run, plan, recorder, recipe, statistics, classNames, directory } = source;
  const weights = run.engine.weights();
  await recorder.close();
  const modelFiles = await writeModel(join(directory, 'model'), {
    artifacts: layersModelArtifacts({ spec: recipe.model, task: recipe.task }, weights),
    weights,
    layout: plan.layout,
    extras: { recipe, statistics, classNames },
  });
  const summary = summarise(source, { outcome, failure });
  const { curve, evaluations } = recorder;
  // A yes-or-no task has two answers, whatever the number of classes.
  const answers = answerNames(classNames, recipe.task);
  await writeFileWhole(
    join(directory, 'report.html'),
    renderHtmlReport({ summary, curve, evaluations, classNames: answers }),
  );
  await writeFileWhole(join(directory, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  const names = ['recipe.json', 'metrics.jsonl', 'ledger.jsonl', 'report.html', 'summary.json'];
  const files = [...names.map((name) => join(directory, name)), ...modelFiles];
  return {
    outcome,
    summary,
    ...(failure === undefined ? {} : { failure }),
    classNames: answers,
    curve,
    files,
  };
}

function summarise(source: ResultSource, { outcome, failure }: Ended): Summary {
  const { run, recorder, recipe, sessions, directory } = source;
  const { seconds } = run;
  const { samplesSeen, steps, lastTest, epochs, tallies } = recorder;
  const used = sessions.everReady().filter(({ name }) => tallies.has(name));
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
    weightsSha256: weightsSha256(run.engine.weights()),
    seconds,
    samplesPerSecond: seconds > 0 ? samplesSeen / seconds : 0,
    exact: exactness(used),
    workers: used.map(({ name, ...rest }) => ({ name, ...rest, leases: tallies.get(name)?.leases ?? 0 })),
    backend: [...new Set(used.map(({ backend }) => backend))].join(', '),
    directory,
  };
}

/** True if all contributions came from one numerics class, else why not. */
function exactness(workers: readonly KnownWorker[]): true | string {
  const classes = new Set(workers.map(({ numericsClass }) => numericsClass));
  return (
    classes.size <= 1 || `workers of ${classes.size} numerics classes contributed: ${[...classes].join(', ')}`
  );
}
