import type { Coordinator, Splits } from '@gradwire/coordinator';
import { defaultCacheDirectory } from '@gradwire/data/node';
import { toError } from '@gradwire/errors';
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
  /** Works for the run until it ends; what makes it stop before fails the run. */
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
      try {
        const member = await starting;
        await member.serve(coordinator.connect(), { url: localUrl(coordinator), token: coordinator.secret });
      } catch (thrown) {
        const { message, stack = '' } = toError(thrown);
        coordinator.fail({ worker: 'local', code: 'WORKER_FAILED', message, stack });
      }
    },
    async close() {
      await starting.then((member) => member.close()).catch(() => undefined);
    },
  };
}
