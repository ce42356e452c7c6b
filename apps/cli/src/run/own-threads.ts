import type { Coordinator, Splits } from '@gradwire/coordinator';
import { defaultCacheDirectory } from '@gradwire/data/node';
import { GradwireError } from '@gradwire/errors';
import { describeCloseCode } from '@gradwire/protocol';
import { createMember, type Member } from '@gradwire/worker';
import type { ThreadPool } from '@gradwire/worker/thread-pool';
import { version } from '../version.ts';
import { localUrl } from './join-command.ts';

/** How this process computes for its own run. */
export interface OwnThreadsOptions {
  readonly backend: 'auto' | 'wasm' | 'native';
  readonly threads: number;
  readonly cacheDir?: string | undefined;
  /** The threads, if they were started before. */
  readonly starting?: Promise<ThreadPool>;
}

/** Compute threads of the process that coordinates: no connection, no copy of the data. */
export interface OwnThreads {
  /** Rejects if they do not start: BACKEND_UNAVAILABLE. */
  readonly started: Promise<unknown>;
  /** Works for the run until it ends. Rejects if the threads fail, or are put out. */
  work(coordinator: Coordinator, data: Splits): Promise<void>;
  close(): Promise<void>;
}

/** Starts them at once: they load while the data is read. */
export function startOwnThreads({ cacheDir, ...threads }: OwnThreadsOptions): OwnThreads {
  let data: Splits | undefined;
  const starting: Promise<Member> = createMember({
    ...threads,
    name: 'local',
    software: version,
    cacheDirectory: cacheDir ?? defaultCacheDirectory(),
    findLocal: async () => data && { ...data, source: 'this process' },
    // The coordinator is told to stop, and says so to all its workers.
    signal: new AbortController().signal,
    onEvent: () => undefined,
  });
  // Reported by whoever waits for it.
  starting.catch(() => undefined);
  return {
    started: starting,
    async work(coordinator, loaded) {
      data = loaded;
      const member = await starting;
      const channel = coordinator.connect();
      const end = await member.serve(channel, { url: localUrl(coordinator), token: coordinator.secret });
      if (end) return;
      const { code, reason } = await channel.closed;
      const why = reason || describeCloseCode(code).sentence;
      throw new GradwireError('WORKER_FAILED', `the threads of this process do not compute any more: ${why}`);
    },
    async close() {
      await starting.then((member) => member.close()).catch(() => undefined);
    },
  };
}
