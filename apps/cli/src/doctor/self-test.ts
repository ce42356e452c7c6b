import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toError } from '@gradwire/errors';
import type { Check } from './check.ts';
import { runTrain } from './run-train.ts';

/** What the self-test runs with. */
export interface SelfTestOptions {
  readonly backend: 'auto' | 'wasm' | 'native';
  readonly dataDir?: string | undefined;
  readonly cacheDir?: string | undefined;
  readonly signal: AbortSignal;
  /** A run begins. */
  readonly onRun: (line: string) => void;
  /** A step of it is done. */
  readonly onStep: (line: string) => void;
}

const steps = 20;
const recipe = 'mnist-cnn-small';

/**
 * Trains 20 steps with two workers and with one, as `gradwire train` does it (real processes, real sockets), and
 * compares the weights bit for bit.
 */
export async function selfTest(options: SelfTestOptions): Promise<Check> {
  const name = 'self-test';
  const folder = await mkdtemp(join(tmpdir(), 'gradwire-doctor-'));
  try {
    const two = await runOnce(2, folder, options);
    const one = await runOnce(1, folder, options);
    return compare(name, two, one);
  } catch (error) {
    const hint =
      'Run the same with more output: gradwire train --recipe mnist-cnn-small --steps 20 --workers 2';
    return { name, status: 'problem', message: toError(error).message, hint };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Outcome {
  readonly workers: number;
  readonly weightsSha256: string;
  readonly backend: string;
  readonly steps: number;
  readonly seconds: number;
}

async function runOnce(workers: number, folder: string, options: SelfTestOptions): Promise<Outcome> {
  const { backend, dataDir, cacheDir, signal } = options;
  const title = `self-test: ${steps} steps of ${recipe} with ${workers === 1 ? '1 worker' : `${workers} workers`}`;
  options.onRun(title);
  const runDir = join(folder, `${workers}`);
  const args = ['--recipe', recipe, '--steps', `${steps}`, '--workers', `${workers}`, '--backend', backend];
  args.push('--host', '127.0.0.1', '--port', '0', '--run-dir', runDir);
  if (dataDir !== undefined) args.push('--data-dir', dataDir);
  if (cacheDir !== undefined) args.push('--cache-dir', cacheDir);
  const startMs = performance.now();
  await runTrain({
    args,
    cwd: folder,
    signal,
    onStep: (step) => options.onStep(`${title}: step ${step}`),
  });
  const summary = JSON.parse(
    await readFile(join(runDir, `0001-${recipe}`, 'summary.json'), 'utf8'),
  ) as Outcome;
  const { weightsSha256, backend: used, steps: made } = summary;
  return {
    workers,
    weightsSha256,
    backend: used,
    steps: made,
    seconds: (performance.now() - startMs) / 1000,
  };
}

function compare(name: string, two: Outcome, one: Outcome): Check {
  const details = { recipe, runs: [two, one] };
  const took = [two, one].map(({ seconds }) => `${seconds.toFixed(1)} s`).join(' and ');
  const what = `${steps} steps with two workers and with one (${one.backend}, ${took})`;
  if (one.steps !== steps || two.steps !== steps) {
    const message = `${what}: only ${two.steps} and ${one.steps} steps were made`;
    return { name, status: 'problem', message, details };
  }
  if (one.weightsSha256 === two.weightsSha256) {
    const message = `${what} gave the same bits\nweights SHA-256 ${one.weightsSha256}`;
    return { name, status: 'ok', message, details };
  }
  const message = `${what} gave different bits\ntwo workers: ${two.weightsSha256}\none worker:  ${one.weightsSha256}`;
  return {
    name,
    status: 'problem',
    message,
    hint: 'This must not happen: please report it with this text.',
    details,
  };
}
