import { GradwireError, toError } from '@gradwire/errors';
import {
  type CoordinatorMessage,
  closeCodes,
  decodeMessage,
  type EndMessage,
  encodeMessage,
  type LeaseMessage,
  type MessageLimits,
  type PrepareMessage,
  type WelcomeMessage,
  type WorkerMessage,
} from '@gradwire/protocol';
import type { Channel } from '@gradwire/transport';
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
  try {
    channel.send(encodeMessage(hello));
    const run = createMessageHandler(options);
    for await (const frame of channel.frames) {
      const message = decodeMessage(frame, limits);
      if (message.type === 'end') return message;
      await run.handle(message as CoordinatorMessage);
      if (signal.aborted) return undefined;
    }
    return undefined;
  } finally {
    signal.removeEventListener('abort', leave);
    channel.close(closeCodes.goodbye.code, 'done');
  }
}

function createMessageHandler(options: SessionOptions) {
  const { channel, openWorkbench, onEvent, signal } = options;
  const send = (message: WorkerMessage): void => channel.send(encodeMessage(message));
  let bench: Workbench | undefined;

  const welcome = async (message: WelcomeMessage): Promise<void> => {
    bench = await reported(options, {}, () => openWorkbench(message));
    onEvent({ type: 'joined', run: message.run, worker: message.worker, recipe: bench.recipe.name });
    send({ type: 'ready', numericsClass: bench.numericsClass });
  };
  const prepare = async ({ shards }: PrepareMessage, { computer, stores }: Workbench): Promise<void> => {
    const fetched = await stores.train.ensure(computer.shardSamples(shards));
    if (fetched.chunks > 0) onEvent({ type: 'data-fetched', shards, ...fetched });
    send({ type: 'prepared', shards });
  };
  const compute = async (lease: LeaseMessage, { computer }: Workbench): Promise<void> => {
    const place: { round: number; leaf?: number } = { round: lease.round };
    await reported(options, place, async () => {
      let samples = 0;
      for await (const partial of computer.compute(lease, (leaf) => {
        place.leaf = leaf;
      })) {
        if (signal.aborted) return;
        send(partial);
        samples += partial.samples;
        await channel.drained();
      }
      onEvent({ type: 'computed', task: lease.task, version: lease.version, samples });
    });
  };
  return {
    async handle(message: CoordinatorMessage): Promise<void> {
      if (message.type === 'welcome') return welcome(message);
      if (bench === undefined) throw unexpected(message.type);
      if (message.type === 'prepare') return prepare(message, bench);
      if (message.type === 'weights') return bench.setWeights(message.values);
      if (message.type === 'lease') return compute(message, bench);
      throw unexpected(message.type);
    },
  };
}

function unexpected(type: string): GradwireError {
  return new GradwireError('MESSAGE_INVALID', `the coordinator sent "${type}" out of order`);
}

/** Runs `task`; a failure is told to the coordinator, with the place where it happened, before it is thrown on. */
async function reported<T>(
  { channel, lastLines, signal }: SessionOptions,
  place: { round?: number; leaf?: number },
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task();
  } catch (thrown) {
    const error = toError(thrown);
    const code = error instanceof GradwireError ? error.code : 'WORKER_FAILED';
    if (!signal.aborted) {
      const report = { code, message: error.message, stack: error.stack ?? '', log: lastLines() };
      channel.send(encodeMessage({ type: 'failed', ...report, ...place }));
    }
    throw error;
  }
}
