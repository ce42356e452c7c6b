import { hostname } from 'node:os';
import type { BackendChoice } from '@gradwire/backend';
import { backendName } from '@gradwire/backend/prepare';
import { type EndMessage, messageLimits, protocolVersion } from '@gradwire/protocol';
import type { Channel } from '@gradwire/transport';
import type { BlobSource } from './blob-fetcher.ts';
import { startThreadPool, type ThreadPool } from './compute/thread-pool.ts';
import type { WorkerEvent } from './events.ts';
import { runSession } from './session.ts';
import { createTermCheck } from './term-check.ts';
import { createWorkbench, type FindLocal, type Workbench, workbenchKey } from './workbench.ts';

/** What a process computes with, and for whom it speaks. */
export interface MemberOptions {
  readonly backend: BackendChoice;
  /** Compute threads; they share data, weights and the connection. */
  readonly threads: number;
  /** These threads, if they were started before. */
  readonly starting?: Promise<ThreadPool>;
  /** What the worker would like to be called; default: the host name. */
  readonly name?: string;
  /** Gradwire's version, for the coordinator's log. */
  readonly software: string;
  /** Hash of the recipe that this worker was started with, if any. */
  readonly recipeHash?: string;
  /** Where fetched chunks are kept. */
  readonly cacheDirectory: string;
  readonly findLocal: FindLocal;
  /** Aborting hands the leases back and leaves. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: WorkerEvent) => void;
  readonly lastLines?: () => readonly string[];
}

/** A process that can take part in a run: its compute threads, and what they have set up for the run. */
export interface Member {
  /** Works on one connection until it ends: the coordinator's last word, or undefined if there was none. */
  serve(channel: Channel, source: BlobSource): Promise<EndMessage | undefined>;
  close(): Promise<void>;
}

/**
 * Starts the compute threads.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` as `prepareBackend` does.
 */
export async function createMember(options: MemberOptions): Promise<Member> {
  const member = startMember(options);
  await member.started;
  return member;
}

/** A member whose compute threads may not have started yet: what it serves waits for them where it computes. */
export interface StartingMember extends Member {
  /** Rejects as {@link createMember} does. */
  readonly started: Promise<unknown>;
}

/** As {@link createMember}; meanwhile the caller can connect. */
export function startMember(options: MemberOptions): StartingMember {
  const { name = hostname(), threads, software, recipeHash, lastLines = () => [] } = options;
  const { starting = startThreadPool(options.backend, threads) } = options;
  // Whoever waits for it hears of it.
  starting.catch(() => undefined);
  let bench: Workbench | undefined;
  const checkTerm = createTermCheck();
  const backend = backendName(options.backend);
  const recipe = recipeHash === undefined ? {} : { recipeHash };
  return {
    started: starting,
    serve: (channel, source) =>
      runSession({
        ...options,
        channel,
        hello: { type: 'hello', protocol: protocolVersion, software, name, backend, threads, ...recipe },
        limits: messageLimits({ role: 'coordinator' }),
        lastLines,
        openWorkbench: async (welcome) => {
          checkTerm(welcome);
          if (bench?.key === workbenchKey(welcome)) return bench;
          bench = await createWorkbench({ ...options, welcome, source, starting });
          return bench;
        },
      }),
    async close() {
      const pool = await starting.catch(() => undefined);
      await pool?.close();
    },
  };
}
