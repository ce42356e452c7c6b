import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The built command, as a user starts it. */
export const gradwireBin: string = fileURLToPath(new URL('../../apps/cli/bin/gradwire.js', import.meta.url));

/** A JSON line that a command printed on stdout. */
export type JsonLine = Record<string, unknown> & { readonly event?: string };

/** A `gradwire` process. */
export interface GradwireProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** All of stdout and stderr so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves with the exit code, once all output has arrived. */
  readonly exited: Promise<number>;
  /** Resolves with the first JSON line (past ones included) that `accepts` accepts; rejects if the process ends first. */
  line(accepts: (line: JsonLine) => boolean): Promise<JsonLine>;
  /** Resolves when stderr contains `text`. */
  said(text: string | RegExp): Promise<void>;
}

/** How to start it. */
export interface GradwireOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** Put before the command, for example `['ip', 'netns', 'exec', 'x']`. */
  readonly prefix?: readonly string[];
  /** The node to run it with. */
  readonly node?: string;
}

/** Starts `gradwire`. Dispose it: that kills the process if it is still there. */
export function startGradwire(args: readonly string[], options: GradwireOptions = {}): GradwireProcess {
  const [program = '', ...rest] = [
    ...(options.prefix ?? []),
    options.node ?? process.execPath,
    gradwireBin,
    ...args,
  ];
  const env = { ...process.env, NO_COLOR: '1', ...options.env };
  const child = spawn(program, rest, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  const lines: JsonLine[] = [];
  const watchers = new Set<() => void>();
  const notify = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.on('data', (data) => (output.stdout += data));
  child.stderr.on('data', (data) => {
    output.stderr += data;
    notify();
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    if (!text.startsWith('{')) return;
    lines.push(JSON.parse(text) as JsonLine);
    notify();
  });
  const exited = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(code ?? (signal === 'SIGKILL' ? 137 : 1));
      notify();
    });
  });
  const until = <T>(look: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (found === undefined && child.exitCode === null && child.signalCode === null) return;
        watchers.delete(check);
        if (found !== undefined) resolve(found);
        else
          reject(
            new Error(
              `gradwire ${args.join(' ')} ended first:\n${output.stderr}\n${output.stdout.slice(-2000)}`,
            ),
          );
      };
      watchers.add(check);
      check();
    });
  return {
    child,
    output,
    exited,
    line: (accepts) => until(() => lines.find(accepts)),
    said: async (text) => {
      await until(() => (output.stderr.match(text) === null ? undefined : true));
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Runs `gradwire` to its end. */
export async function runGradwire(
  args: readonly string[],
  options: GradwireOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const running = startGradwire(args, options);
  const code = await running.exited;
  return { code, ...running.output };
}
