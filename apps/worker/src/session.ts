import { GradwireError, toError } from '@gradwire/errors';
import {
  type CoordinatorMessage,
  closeCodes,
  decodeMessage,
  type EndMessage,
  encodeMessage,
  encodePieces,
  type LeaseMessage,
  type MessageLimits,
  type PrepareMessage,
  type WelcomeMessage,
  type WorkerMessage,
} from '@gradwire/protocol';
import { type Channel, freeYoungGarbage } from '@gradwire/transport';
import { LeafFailure } from './compute/thread-pool.ts';
import type { WorkerEvent } from './events.ts';
import type { Workbench } from './workbench.ts';

/** What one connection needs. */
export interface SessionOptions {
  readonly channel: Channel;
  readonly hello: Extract<WorkerMessage, { type: 'hello' }>;
  readonly limits: MessageLimits;
  /** Builds the workbench for a run, or hands back the one that fits. */
  readonly openWorkbench: (welcome: WelcomeMessage) => Promise<Workbench>;
  readonly signal: AbortSignal;
  readonly onEvent: (event: WorkerEvent) => void;
  /** The worker's last log lines, for a failure report. */
  readonly lastLines: () => readonly string[];
}

/**
 * One connection, from hello to the end: read a message, do what it says, read the next.
 * Resolves with the coordinator's last word, or undefined if the connection ended without one.
 */
export async function runSession(options: SessionOptions): Promise<EndMessage | undefined> {
  const { channel, hello, limits, signal } = options;
  const leave = (): void => {
    channel.send(encodeMessage({ type: 'leave', reason: String(signal.reason ?? 'asked to stop') }));
    channel.close(closeCodes.goodbye.code, 'leaving');
  };
  signal.addEventListener('abort', leave, { once: true });
  const isOpen = watch(channel);
  try {
    channel.send(encodeMessage(hello));
    const handle = createMessageHandler(options, isOpen);
    for await (const frame of channel.frames) {
      const message = decodeMessage(frame, limits) as CoordinatorMessage;
      if (message.type === 'end') return message;
      // What is still unread when the connection has gone is nobody's work any more; only the last word counts.
      if (isOpen()) await handle(message);
      if (signal.aborted) return undefined;
    }
    return undefined;
  } finally {
    signal.removeEventListener('abort', leave);
    channel.close(closeCodes.goodbye.code, 'done');
    // The process may end next: what was said last must have left it.
    await channel.closed;
  }
}

function watch(channel: Channel): () => boolean {
  let isOpen = true;
  void channel.closed.then(() => {
    isOpen = false;
  });
  return () => isOpen;
}

function createMessageHandler(
  options: SessionOptions,
  isOpen: () => boolean,
): (message: CoordinatorMessage) => Promise<void> {
  const { channel, openWorkbench, onEvent, signal } = options;
  const send = (message: WorkerMessage): void => {
    // A coded gradient is in memory of its own already; any other vector changes as soon as the next one is computed.
    const isOwn = message.type === 'partial' && message.codec !== undefined;
    channel.send(isOwn || channel.sendsAtOnce ? encodePieces(message) : encodeMessage(message));
  };
  let bench: Workbench | undefined;
  let version: number | undefined;
  let term: number | undefined;

  const welcome = async (message: WelcomeMessage): Promise<void> => {
    ({ term } = message);
    bench = await openWorkbench(message);
    onEvent({ type: 'joined', run: message.run, worker: message.worker, recipe: bench.recipe.name });
    send({ type: 'ready', numericsClass: bench.numericsClass });
  };
  const prepare = async ({ shards }: PrepareMessage, workbench: Workbench): Promise<void> => {
    const before = workbench.fetchedBytes;
    onEvent({ type: 'preparing', shards });
    await workbench.stores.train.ensure(workbench.computeRun.shardSamples(shards));
    const fetchedBytes = workbench.fetchedBytes - before;
    onEvent({ type: 'prepared', shards, fetchedBytes });
    send({ type: 'prepared', shards, fetchedBytes });
  };
  const compute = async (lease: LeaseMessage, { computeRun }: Workbench, place: Place): Promise<void> => {
    if (lease.term !== term) {
      const found = `a lease of term ${lease.term} on a connection of term ${term}`;
      throw new GradwireError('MESSAGE_INVALID', found);
    }
    if (lease.version !== version) {
      const held = version === undefined ? 'none' : `version ${version}`;
      throw new GradwireError(
        'MESSAGE_INVALID',
        `the coordinator leased work on weights of version ${lease.version}, this worker holds ${held}`,
      );
    }
    let samples = 0;
    try {
      for await (const partial of computeRun.compute(lease)) {
        if (signal.aborted || !isOpen()) return;
        send(partial);
        samples += partial.samples;
        await channel.drained();
      }
    } catch (error) {
      if (!(error instanceof LeafFailure)) throw error;
      place.leaf = error.leaf;
      throw error.cause;
    }
    // None in a replay.
    if (samples > 0) onEvent({ type: 'computed', task: lease.task, version: lease.version, samples });
    // While the others compute and the coordinator adds.
    setImmediate(freeYoungGarbage);
  };
  const dispatch = async (message: CoordinatorMessage, place: Place): Promise<void> => {
    if (message.type === 'welcome') return welcome(message);
    if (bench === undefined) throw unexpected(message.type);
    if (message.type === 'prepare') return prepare(message, bench);
    if (message.type === 'weights') {
      version = message.version;
      return bench.computeRun.setWeights(message.values);
    }
    if (message.type === 'lease') return compute(message, bench, place);
    throw unexpected(message.type);
  };
  return (message) => {
    const place: Place = message.type === 'lease' ? { round: message.round } : {};
    return reported(options, place, () => dispatch(message, place));
  };
}

/** What was being computed, for a failure report. */
interface Place {
  readonly round?: number;
  leaf?: number;
}

function unexpected(type: string): GradwireError {
  return new GradwireError('MESSAGE_INVALID', `the coordinator sent "${type}" out of order`);
}

/**
 * Runs `task`; a failure is told to the coordinator, with the place where it happened, before it is thrown on.
 * Data that cannot be fetched is no failure of ours: it is treated as a lost connection.
 */
async function reported(
  { channel, lastLines, signal }: SessionOptions,
  place: Place,
  task: () => Promise<void>,
): Promise<void> {
  try {
    await task();
  } catch (thrown) {
    const error = toError(thrown);
    const code = error instanceof GradwireError ? error.code : 'WORKER_FAILED';
    if (code === 'CONNECTION_FAILED' || signal.aborted) {
      return channel.close(closeCodes.connectionLost.code, error.message.slice(0, 100));
    }
    if (code === 'BACKEND_UNAVAILABLE') {
      // It never took part: that is nothing which the run should take for a failure.
      channel.send(encodeMessage({ type: 'leave', reason: error.message }));
      throw error;
    }
    const report = { code, message: error.message, stack: error.stack ?? '', log: lastLines() };
    channel.send(encodeMessage({ type: 'failed', ...report, ...place }));
    throw error;
  }
}
