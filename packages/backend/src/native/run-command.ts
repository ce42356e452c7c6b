import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { GradwireError } from '@gradwire/errors';

/** How {@link runCommand} runs a program. */
export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Called with each line of stdout and stderr, and every five seconds of silence with the time passed. */
  onLine?: (line: string) => void;
  /** Stops the program. */
  signal?: AbortSignal | undefined;
  /** After this time the program is stopped and counts as failed. Default: no limit. */
  timeoutMs?: number;
}

/** How a program ended. */
export interface RunResult {
  /** True when the program was found and ended with status 0. */
  ok: boolean;
  /** The last 40 lines it wrote, or why it could not be started. */
  output: string;
}

const keptLines = 40;
const silenceMs = 5_000;

/**
 * Runs a program without a shell and reports how it ended; a program that is missing or fails is a value, not an error.
 *
 * @throws GradwireError `CANCELLED` when `signal` aborts.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const lines: string[] = [];
  const started = Date.now();
  let lastLine = started;
  const onLine = (line: string): void => {
    lastLine = Date.now();
    if (line.trim() === '') return;
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
    options.onLine?.(line);
  };
  const silence = setInterval(() => {
    if (Date.now() - lastLine < silenceMs) return;
    options.onLine?.(`still running after ${Math.round((Date.now() - started) / 1000)} s`);
  }, silenceMs);
  const failure = await runToEnd([command, ...args], options, onLine).finally(() => clearInterval(silence));
  if (options.signal?.aborted) throw new GradwireError('CANCELLED', `${command} was stopped on request`);
  if (failure !== '') lines.push(failure);
  return { ok: failure === '', output: lines.join('\n') };
}

/** Resolves to '' on success, else to a sentence that says why the program failed. */
function runToEnd(
  [command, ...args]: readonly [string, ...string[]],
  { cwd, env, signal, timeoutMs }: RunOptions,
  onLine: (line: string) => void,
): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env,
      signal,
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: child.stdout }).on('line', onLine);
    createInterface({ input: child.stderr }).on('line', onLine);
    child.on('error', (error) => resolve(`${command}: ${error.message}`));
    child.on('close', (code, killedBy) => {
      if (code === 0) resolve('');
      else resolve(killedBy ? `${command} was ended by ${killedBy}` : `${command} ended with status ${code}`);
    });
  });
}
