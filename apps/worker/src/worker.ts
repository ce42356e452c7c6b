import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { prepareBackend } from '@gradwire/backend';
import { GradwireError, toError } from '@gradwire/errors';
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
import { createWorkbench, type FindLocal, type Workbench, workbenchKey } from './workbench.ts';

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
  readonly findLocal: FindLocal;
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
  const { signal } = options;
  const patience = createPatience(options);
  const onEvent = (event: WorkerEvent): void => {
    if (event.type === 'computed') patience.worked();
    options.onEvent(event);
  };
  const backend = await prepareBackend(options.backend);
  let bench: Workbench | undefined;
  const openWorkbench = async (welcome: WelcomeMessage): Promise<Workbench> => {
    if (bench?.key === workbenchKey(welcome)) return bench;
    bench?.dispose();
    const baseUrl = options.url.replace(/^ws/, 'http').replace(/[#/]+$/, '');
    bench = await createWorkbench({ ...options, onEvent, welcome, baseUrl, backend });
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
    const end = await serveUntilEnd(options, patience, serve);
    onEvent({ type: 'ended', outcome: end.outcome, message: end.message });
    return end;
  } finally {
    bench?.dispose();
  }
}

async function serveUntilEnd(
  options: WorkerOptions,
  patience: Patience,
  serve: (channel: Channel) => Promise<EndMessage | undefined>,
): Promise<WorkerOutcome> {
  const { url, signal, onEvent } = options;
  for (;;) {
    const channel = await connect(options, patience);
    const end = channel && (await serve(channel));
    if (end) return end;
    if (channel === undefined || signal.aborted)
      return { type: 'end', outcome: 'left', message: 'on request' };
    const { code, reason } = await channel.closed;
    const { sentence, reconnect } = describeCloseCode(code);
    const text = reason === '' || reason === sentence ? sentence : `${sentence} (${reason})`;
    if (!reconnect) {
      throw new GradwireError(
        'CONNECTION_REFUSED',
        `the coordinator at ${url} closed the connection: ${text}`,
      );
    }
    onEvent({ type: 'disconnected', reason: text });
    await patience.wait();
  }
}

/** Tries until the coordinator answers, refuses, or has been away too long; undefined if asked to stop. */
async function connect(options: WorkerOptions, patience: Patience): Promise<Channel | undefined> {
  const { url, token, signal, onEvent } = options;
  const { maxFrameBytes } = messageLimits({ role: 'coordinator' });
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    onEvent({ type: 'connecting', url, attempt });
    try {
      const channel = await connectChannel(url, { token, maxFrameBytes, signal });
      patience.connected();
      return channel;
    } catch (error) {
      if (signal.aborted) break;
      if (!mayComeBack(error) || patience.isOver()) throw error;
      onEvent({ type: 'unreachable', reason: toError(error).message });
      await patience.wait();
    }
  }
  return undefined;
}

/** Not there, full, or about to stop: it may have room, or be there again, later. */
function mayComeBack(error: unknown): boolean {
  return (
    error instanceof GradwireError &&
    (error.code === 'CONNECTION_FAILED' || error.code === 'CONNECTION_REFUSED')
  );
}

/** Growing pauses between attempts, over the whole life of a worker; short ones again after some work was done. */
interface Patience {
  /** Whether the coordinator has been away for too long. */
  isOver(): boolean;
  wait(): Promise<void>;
  connected(): void;
  /** A lease was computed: the next pause is short again. */
  worked(): void;
}

function createPatience({ patienceMs = 600_000, signal }: WorkerOptions): Patience {
  const delays = backoff({ seed: process.pid });
  let untilMs = performance.now() + patienceMs;
  return {
    isOver: () => performance.now() > untilMs,
    wait: () => delay(delays.next(), undefined, { signal }).catch(() => undefined),
    connected() {
      untilMs = performance.now() + patienceMs;
    },
    worked: () => delays.reset(),
  };
}
