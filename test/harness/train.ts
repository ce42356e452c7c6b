import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Summary } from '@gradwire/report';
import { type GradwireOptions, type GradwireProcess, startGradwire } from './gradwire.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

/** What to do besides waiting for the end. */
export interface TrainOptions extends GradwireOptions {
  /** Where to make the run folder; default: a folder that is removed at the end. */
  readonly runDir?: string;
  /** Gets the running process, for killing workers and the like. */
  readonly during?: (run: GradwireProcess) => Promise<void>;
}

/** Runs `gradwire train` and returns its `summary.json`. Throws if its exit code is not 0. */
export async function train(args: readonly string[], options: TrainOptions = {}): Promise<Summary> {
  await using folder = await createTemporaryFolder();
  const runDir = options.runDir ?? folder.path;
  const command = ['train', '--json', '--run-dir', runDir, ...args];
  await using run = startGradwire(command, { cwd: folder.path, ...options });
  await options.during?.(run);
  const code = await run.exited;
  if (code !== 0) throw new Error(`gradwire train ended with ${code}:\n${run.output.stderr}`);
  return readSummary(join(runDir, 'latest'));
}

/** The `summary.json` of a run folder. */
export async function readSummary(directory: string): Promise<Summary> {
  return JSON.parse(await readFile(join(directory, 'summary.json'), 'utf8')) as Summary;
}

/** Waits until `train --json` has committed `step` steps. */
export async function stepDone(run: GradwireProcess, step: number): Promise<void> {
  await run.line(({ event, record }) => event === 'step' && (record as { step: number }).step >= step);
}

/** The process of a worker of `train --json`, once it has started. */
export async function workerPid(run: GradwireProcess, worker: string): Promise<number> {
  const { pid } = await run.line(({ event, name }) => event === 'started' && name === worker);
  return pid as number;
}
