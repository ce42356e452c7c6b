import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GradwireError } from '@gradwire/errors';
import { keepLastLines } from '../processes/last-lines.ts';

/** How `gradwire train` is started. */
export interface TrainOptions {
  /** Its options. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly onStep: (step: number) => void;
}

const bin = fileURLToPath(new URL('../../bin/gradwire.js', import.meta.url));
const patienceMs = 300_000;
const keptLines = 15;

/** Runs `gradwire train` to its end. Throws `GradwireError` WORKER_FAILED with its last lines, or CANCELLED. */
export async function runTrain({ args, cwd, signal, onStep }: TrainOptions): Promise<void> {
  const child = spawn(process.execPath, [bin, 'train', ...args, '--json'], {
    cwd,
    env: withoutOurSettings(process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C comes to us alone, and we stop the run in order.
    detached: process.platform !== 'win32',
  });
  const lastLines = keepLastLines(child, keptLines);
  followSteps(child, onStep);
  // In a variable that is asked below: Node may collect a timeout that only `AbortSignal.any` knows, and then it never comes.
  const late = AbortSignal.timeout(patienceMs);
  const limit = AbortSignal.any([signal, late]);
  const stop = (): void => void child.kill('SIGTERM');
  limit.addEventListener('abort', stop, { once: true });
  if (limit.aborted) stop();
  const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null];
  limit.removeEventListener('abort', stop);
  if (signal.aborted) throw new GradwireError('CANCELLED', 'stopped on request');
  if (code === 0) return;
  const why = late.aborted
    ? `did not end within ${patienceMs / 1000} s`
    : `ended with ${killedBy ?? `code ${code}`}`;
  throw new GradwireError('WORKER_FAILED', [`gradwire train ${why}`, ...lastLines].join('\n'));
}

/** The self-test is the same everywhere: settings from the environment would change it. */
function withoutOurSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.toUpperCase().startsWith('GRADWIRE_')),
  );
}

function followSteps({ stdout }: ChildProcess, onStep: (step: number) => void): void {
  if (!stdout) return;
  createInterface({ input: stdout }).on('line', (line) => {
    const step = stepOf(line);
    if (step !== undefined) onStep(step);
  });
}

function stepOf(line: string): number | undefined {
  try {
    const { event, record } = JSON.parse(line) as { event?: string; record?: { step?: number } };
    return event === 'step' ? record?.step : undefined;
  } catch {
    return undefined;
  }
}
