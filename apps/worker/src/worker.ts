import { setTimeout as delay } from 'node:timers/promises';
import { GradwireError, toError } from '@gradwire/errors';
import { closeCodes, describeCloseCode, type EndMessage, messageLimits } from '@gradwire/protocol';
import { backoff, type Channel, connectChannel } from '@gradwire/transport';
import type { WorkerEvent } from './events.ts';
import { type MemberOptions, startMember } from './member.ts';

/** How a worker is started. */
export interface WorkerOptions extends MemberOptions {
  /** The coordinator, for example `ws://10.0.0.5:8787`. */
  readonly url: string;
  /** The part after `#` of the printed command: the join token, for TLS followed by a comma and the fingerprint. */
  readonly token: string;
  /** Gives up when the coordinator stays away this long; default: 10 minutes. */
  readonly patienceMs?: number;
}

/** How a worker's part in a run ended. */
export type WorkerOutcome =
  | EndMessage
  | { readonly type: 'end'; readonly outcome: 'left'; readonly message: string };

/**
 * Joins a run and computes leases until it ends: connect, serve, and connect again if the connection breaks.
 * Throws CONNECTION_FAILED if the coordinator cannot be reached, TOKEN_WRONG or CONNECTION_REFUSED if it says no,
 * RECIPE_MISMATCH if its recipe is not the one of `recipeHash`, IDENTITY_WRONG if it is another one.
 */
export async function runWorker(options: WorkerOptions): Promise<WorkerOutcome> {
  const patience = createPatience(options);
  const onEvent = (event: WorkerEvent): void => {
    if (event.type === 'computed') patience.worked();
    options.onEvent(event);
  };
  const { url, token } = options;
  const member = startMember({ ...options, onEvent });
  try {
    // Native is not installed everywhere: nobody need hear of a worker that cannot work.
    if (options.backend === 'native') await member.started;
    const end = await serveUntilEnd(options, patience, (channel) => member.serve(channel, { url, token }));
    onEvent({ type: 'ended', outcome: end.outcome, message: end.message });
    return end;
  } finally {
    await member.close();
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
    // It came when all was said: how the run ended, others know.
    if (code === closeCodes.runEnded.code)
      return { type: 'end', outcome: 'left', message: 'the run has ended' };
    const { sentence, reconnect } = describeCloseCode(code);
    // A peer that could not speak the protocol would not have got so far: the line damages what it carries.
    const isDamage = code < firstOwnCode && patience.hasWorked;
    const text = reason === '' || reason === sentence ? sentence : `${sentence} (${reason})`;
    if (!reconnect && !isDamage) {
      const kind = code === closeCodes.recipeMismatch.code ? 'RECIPE_MISMATCH' : 'CONNECTION_REFUSED';
      throw new GradwireError(kind, `the coordinator at ${url} closed the connection: ${text}`);
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

/** Codes below come from the WebSocket library. */
const firstOwnCode = 4000;

/** Growing pauses between attempts, over the whole life of a worker; short ones again after some work was done. */
interface Patience {
  /** Whether the coordinator has been away for too long. */
  isOver(): boolean;
  /** Whether a lease was computed over the connection of now. */
  readonly hasWorked: boolean;
  wait(): Promise<void>;
  connected(): void;
  /** A lease was computed: the next pause is short again. */
  worked(): void;
}

function createPatience({ patienceMs = 600_000, signal }: WorkerOptions): Patience {
  const delays = backoff({ seed: process.pid });
  let untilMs = performance.now() + patienceMs;
  let hasWorked = false;
  return {
    get hasWorked() {
      return hasWorked;
    },
    isOver: () => performance.now() > untilMs,
    wait: () => delay(delays.next(), undefined, { signal }).catch(() => undefined),
    connected() {
      untilMs = performance.now() + patienceMs;
      hasWorked = false;
    },
    worked() {
      hasWorked = true;
      delays.reset();
    },
  };
}
