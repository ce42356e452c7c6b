import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { keepLastLines } from './last-lines.ts';

/** How the workers of `gradwire train` are started. */
export interface LocalWorkersOptions {
  readonly count: number;
  /** The coordinator's address without the token. */
  readonly url: string;
  /** Given by the environment: the command line is in the list of processes. */
  readonly token: string;
  /** Further arguments of `gradwire worker`. */
  readonly args: readonly string[];
  /** How often a worker that was killed is started again; default: 3 times. */
  readonly maxRestarts?: number;
  readonly onEvent: (event: LocalWorkerEvent) => void;
}

/** What becomes of a worker process. */
export type LocalWorkerEvent = { readonly name: string } & (
  | { readonly type: 'started'; readonly pid: number }
  /** It ended without being asked to; `willRestart` tells whether it gets another try. */
  | {
      readonly type: 'died';
      readonly cause: string;
      readonly lastLines: readonly string[];
      readonly willRestart: boolean;
    }
  /** By `--chaos`. */
  | { readonly type: 'harmed'; readonly how: 'killed' | 'stopped' }
  /** No worker process is left, and none will be started again. Name, cause and lines are those of the first that failed. */
  | { readonly type: 'none-left'; readonly cause: string; readonly lastLines: readonly string[] }
);

/** Worker processes on this machine. */
export interface LocalWorkers {
  /** The processes that there are now, by name. */
  running(): ReadonlyMap<string, ChildProcess>;
  /** Asks all to leave and waits until they are gone; those that do not leave within 5 s are killed. */
  stop(): Promise<void>;
}

const bin = fileURLToPath(new URL('../../bin/gradwire.js', import.meta.url));
const keptLines = 20;

/** Starts them, and starts those again that were killed. */
export function startLocalWorkers(options: LocalWorkersOptions): LocalWorkers {
  const { maxRestarts = 3 } = options;
  const children = new Map<string, ChildProcess>();
  let isStopping = false;
  let first:
    | { readonly name: string; readonly cause: string; readonly lastLines: readonly string[] }
    | undefined;

  const start = (name: string, restarts: number): void => {
    const child = spawnWorker(name, options);
    children.set(name, child);
    if (child.pid !== undefined) options.onEvent({ type: 'started', name, pid: child.pid });
    const lastLines = keepLastLines(child, keptLines);
    const ended = (cause: string, { isFailure = true, mayRestart = false } = {}): void => {
      if (isStopping || !children.delete(name)) return;
      // A killed worker may come back; one that failed by itself would fail again.
      const willRestart = mayRestart && restarts < maxRestarts;
      if (isFailure) options.onEvent({ type: 'died', name, cause, lastLines, willRestart });
      if (willRestart) return start(name, restarts + 1);
      const last = { name, cause, lastLines };
      if (isFailure) first ??= last;
      if (children.size === 0) options.onEvent({ type: 'none-left', ...(first ?? last) });
    };
    child.once('error', (error) => ended(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      if (signal) return ended(`was killed by ${signal}`, { mayRestart: true });
      // A worker that was told to stop, or that the run has ended, exits with 0.
      ended(`exited with code ${code}${whatItSaid(lastLines)}`, { isFailure: code !== 0 });
    });
  };
  for (let n = 1; n <= options.count; n += 1) start(`worker-${n}`, 0);

  return {
    running: () => children,
    async stop() {
      isStopping = true;
      await Promise.all([...children.values()].map(stopChild));
    },
  };
}

function spawnWorker(name: string, { url, token, args }: LocalWorkersOptions): ChildProcess {
  // A group of its own: Ctrl-C reaches the command alone, which then stops its workers in order.
  // A worker that loses its standard input has lost the command, and leaves.
  return spawn(process.execPath, [bin, 'worker', url, '--name', name, '--leave-with-parent', ...args], {
    detached: process.platform !== 'win32',
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, GRADWIRE_TOKEN: token },
  });
}

/** The error that ended it, as `formatError` writes it. */
function whatItSaid(lastLines: readonly string[]): string {
  const line = lastLines.findLast((each) => each.startsWith('error '));
  return line === undefined ? '' : `: ${line.slice('error '.length)}`;
}

function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
    child.once('close', () => {
      clearTimeout(patience);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
