import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import type { JsonLine } from './json-output.ts';

/** The built command, as a user starts it. */
export const gradwireBin: string = fileURLToPath(new URL('../../apps/cli/bin/gradwire.js', import.meta.url));

/** A `gradwire` process. */
export interface GradwireProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** All of stdout and stderr so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves with the exit code, once all output has arrived; 128 + n after signal n. */
  readonly exited: Promise<number>;
  /** Resolves with the first JSON line (past ones included) that `accepts` accepts; rejects if the process ends first. */
  line(accepts: (line: JsonLine) => boolean): Promise<JsonLine>;
  /** Resolves with the first match in what was said on stderr; rejects if the process ends first. */
  said(text: RegExp): Promise<RegExpMatchArray>;
}

/** How to start it. */
export interface GradwireOptions {
  readonly cwd?: string;
  /** Added to the environment, which is ours without settings of Gradwire; undefined takes a variable away. */
  readonly env?: Record<string, string | undefined>;
  /** Put before the command, for example `['ip', 'netns', 'exec', 'x']`. */
  readonly prefix?: readonly string[];
  /** The node to run it with. */
  readonly node?: string;
}

// A test that ran out of time never disposes what it started.
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `gradwire`. Dispose it: that kills the process if it is still there. */
export function startGradwire(args: readonly string[], options: GradwireOptions = {}): GradwireProcess {
  const [program = '', ...rest] = [
    ...(options.prefix ?? []),
    options.node ?? process.execPath,
    gradwireBin,
    ...args,
  ];
  const child = spawn(program, rest, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: environment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const output = { stdout: '', stderr: '' };
  const lines: JsonLine[] = [];
  const watchers = new Set<() => void>();
  const notify = (): void => {
    for (const watcher of watchers) watcher();
  };
  let isOver = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
    notify();
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    if (!text.startsWith('{')) return;
    lines.push(JSON.parse(text) as JsonLine);
    notify();
  });
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      isOver = true;
      running.delete(child);
      resolve(code ?? 128 + (signalNumbers[signal ?? 'SIGKILL'] ?? 0));
      notify();
    });
  });
  const until = <T>(look: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (found === undefined && !isOver) return;
        watchers.delete(check);
        if (found !== undefined) resolve(found);
        else reject(new Error(`gradwire ${args.join(' ')} ended first:\n${tail(output)}`));
      };
      watchers.add(check);
      check();
    });
  return {
    child,
    output,
    exited,
    line: (accepts) => until(() => lines.find(accepts)),
    said: (text) => until(() => output.stderr.match(text) ?? undefined),
    async [Symbol.asyncDispose]() {
      if (!isOver) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Runs `gradwire` to its end. */
export async function runGradwire(
  args: readonly string[],
  options: GradwireOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  await using running = startGradwire(args, options);
  const code = await running.exited;
  return { code, ...running.output };
}

const signalNumbers: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

function environment(changes: GradwireOptions['env'] = {}): NodeJS.ProcessEnv {
  const ours = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('GRADWIRE_') && !name.startsWith('npm_') && name !== 'FORCE_COLOR',
  );
  const all = Object.entries({ ...Object.fromEntries(ours), NO_COLOR: '1', ...changes });
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

function tail({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return `${stderr}\n${stdout.slice(-2000)}`;
}
