import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { prepareBackend } from '@gradwire/backend';
import type { Dataset } from '@gradwire/data';
import { GradwireError } from '@gradwire/errors';
import {
  describeCloseCode,
  type EndMessage,
  messageLimits,
  protocolVersion,
  type WelcomeMessage,
} from '@gradwire/protocol';
import { backoff, type Channel, connectChannel } from '@gradwire/transport';
import type { WorkerEvent } from './events.ts';
import { runSession } from './session.ts';
import { createWorkbench, type Workbench, workbenchKey } from './workbench.ts';

/** How a worker is started. */
export interface WorkerOptions {
  /** The coordinator, for example `ws://10.0.0.5:8787`. */
  readonly url: string;
  /** The join token: the part after `#` of the printed command. */
  readonly token: string;
  readonly backend: 'auto' | 'wasm' | 'native';
  /** What the worker would like to be called; default: the host name. */
  readonly name?: string;
  /** Gradwire's version, for the coordinator's log. */
  readonly software: string;
  /** Hash of the recipe that this worker was started with, if any. */
  readonly recipeHash?: string;
  /** Where fetched chunks are kept. */
  readonly cacheDirectory: string;
  /** Looks for the data set on this machine; undefined if it is not here. */
  readonly findLocal: (
    dataset: string,
  ) => Promise<{ train: Dataset; test: Dataset; source: string } | undefined>;
  /** Gives up when the coordinator stays away this long; default: 10 minutes. */
  readonly patienceMs?: number;
  /** Aborting hands the leases back and leaves. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: WorkerEvent) => void;
  readonly lastLines?: () => readonly string[];
}

/** How a worker's part in a run ended. */
export type WorkerOutcome =
  | EndMessage
  | { readonly type: 'end'; readonly outcome: 'left'; readonly message: string };

/**
 * Joins a run and computes leases until it ends: connect, serve, and connect again if the connection breaks.
 * Throws CONNECTION_FAILED if the coordinator cannot be reached, TOKEN_WRONG or CONNECTION_REFUSED if it says no.
 */
export async function runWorker(options: WorkerOptions): Promise<WorkerOutcome> {
  const { signal, onEvent } = options;
  const backend = await prepareBackend(options.backend);
  let bench: Workbench | undefined;
  const openWorkbench = async (welcome: WelcomeMessage): Promise<Workbench> => {
    if (bench?.key === workbenchKey(welcome)) return bench;
    bench?.dispose();
    const baseUrl = options.url.replace(/^ws/, 'http').replace(/[#/]+$/, '');
    bench = await createWorkbench({ ...options, welcome, baseUrl, backend });
    return bench;
  };
  const serve = (channel: Channel): Promise<EndMessage | undefined> =>
    runSession({
      channel,
      hello: {
        type: 'hello',
        protocol: protocolVersion,
        software: options.software,
        name: options.name ?? hostname(),
        backend: backend.name,
        ...(options.recipeHash === undefined ? {} : { recipeHash: options.recipeHash }),
      },
      limits: messageLimits({ role: 'coordinator' }),
      openWorkbench,
      signal,
      onEvent,
      lastLines: options.lastLines ?? (() => []),
    });
  try {
    const end = await serveUntilEnd(options, serve);
    onEvent({ type: 'ended', outcome: end.outcome, message: end.message });
    return end;
  } finally {
    bench?.dispose();
  }
}

async function serveUntilEnd(
  options: WorkerOptions,
  serve: (channel: Channel) => Promise<EndMessage | undefined>,
): Promise<WorkerOutcome> {
  const { signal, onEvent } = options;
  for (;;) {
    const channel = await connect(options);
    const end = channel && (await serve(channel));
    if (end) return end;
    if (channel === undefined || signal.aborted)
      return { type: 'end', outcome: 'left', message: 'on request' };
    const { code, reason } = await channel.closed;
    const { sentence, reconnect } = describeCloseCode(code);
    const text = reason === '' ? sentence : `${sentence} (${reason})`;
    if (!reconnect) {
      throw new GradwireError(
        'CONNECTION_REFUSED',
        `the coordinator at ${options.url} closed the connection: ${text}`,
      );
    }
    onEvent({ type: 'disconnected', reason: text });
  }
}

/** Tries until the coordinator answers, refuses, or has been away too long; undefined if asked to stop. */
async function connect(options: WorkerOptions): Promise<Channel | undefined> {
  const { url, token, signal, onEvent, patienceMs = 600_000 } = options;
  const { maxFrameBytes } = messageLimits({ role: 'coordinator' });
  const delays = backoff({ seed: process.pid });
  const untilMs = performance.now() + patienceMs;
  for (let attempt = 1; ; attempt += 1) {
    onEvent({ type: 'connecting', url, attempt });
    try {
      return await connectChannel(url, { token, maxFrameBytes, signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      const mayComeBack = error instanceof GradwireError && error.code === 'CONNECTION_FAILED';
      if (!mayComeBack || performance.now() > untilMs) throw error;
      const retryInMs = delays.next();
      onEvent({ type: 'unreachable', reason: error.message, retryInMs });
      await delay(retryInMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
    }
  }
}
