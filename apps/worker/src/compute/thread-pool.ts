import { Worker } from 'node:worker_threads';
import type { BackendChoice } from '@gradwire/backend';
import { setNativeEnvironment } from '@gradwire/backend/prepare';
import { type ErrorCode, GradwireError, toError } from '@gradwire/errors';
import type { ThreadFailure, ThreadOrder, ThreadReply, ThreadRun, ThreadStart } from './thread-messages.ts';

/** Compute threads of this process, each with a backend of its own. */
export interface ThreadPool {
  readonly size: number;
  readonly backend: Extract<ThreadReply, { type: 'ready' }>['backend'];
  /** Builds the model in every thread. Resolves to the hash of the probe gradient. */
  open(run: ThreadRun): Promise<string>;
  /** Gives every thread the same order. One at a time: the next may be given when this one's replies have ended. */
  compute(order: Extract<ThreadOrder, { type: 'compute' }>): SummedReplies;
  close(): Promise<void>;
}

/** Nodes as they are completed. */
export interface SummedReplies {
  /** The next one; undefined when no thread computes any more. Rejects with what a thread failed of. */
  next(): Promise<Extract<ThreadReply, { type: 'summed' }> | undefined>;
}

/** A thread could not compute a leaf. */
export class LeafFailure extends Error {
  readonly leaf: number;

  constructor(leaf: number, cause: Error) {
    super(cause.message, { cause });
    this.leaf = leaf;
  }
}

// The compiled file also when tests run the sources, whose options (`execArgv`) it must not inherit: Node 20 starts no
// thread from TypeScript.
const threadFile = new URL('../../dist/compute/compute-thread.js', import.meta.url);

/**
 * Starts the threads and their backends.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` as `prepareBackend` does.
 */
export async function startThreadPool(backend: BackendChoice, size: number): Promise<ThreadPool> {
  if (backend === 'native') setNativeEnvironment();
  const inbox = createInbox();
  const threads: Worker[] = [];
  const bell = new Int32Array(new SharedArrayBuffer(4));
  const order = (message: ThreadOrder): void => {
    for (const thread of threads) thread.postMessage(message);
    // Wakes all that wait for it at once: woken one after the other, the first would take the core from who wakes.
    Atomics.add(bell, 0, 1);
    Atomics.notify(bell, 0);
  };
  const close = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.terminate()));
  };
  /** So many replies of one type. */
  const receive = async <Type extends ThreadReply['type']>(
    type: Type,
    count: number,
  ): Promise<ReplyOf<Type>[]> => {
    const replies: ReplyOf<Type>[] = [];
    while (replies.length < count) {
      const reply = await inbox.next();
      if (reply.type === 'failed') throw errorOf(reply.failure);
      if (reply.type === type) replies.push(reply as ReplyOf<Type>);
    }
    return replies;
  };
  if (!(size >= 1)) throw new RangeError(`size: expected at least 1, found ${size}`);
  try {
    // The native binding fills a table that its threads share without a lock: the first thread does it alone.
    const ready: ReplyOf<'ready'>[] = [];
    for (const count of backend === 'native' ? [1, size - 1] : [size]) {
      for (let i = 0; i < count; i += 1) threads.push(startThread({ backend, bell }, inbox));
      ready.push(...(await receive('ready', count)));
    }
    const [{ backend: found }] = ready as [ReplyOf<'ready'>];
    return {
      size,
      backend: found,
      close,
      async open(run) {
        order({ type: 'open', run });
        const probes = new Set((await receive('opened', size)).map(({ probe }) => probe));
        const [probe] = probes;
        if (probe !== undefined && probes.size === 1) return probe;
        throw new GradwireError('INTERNAL', 'the compute threads of one process give different bits');
      },
      compute(message) {
        order(message);
        let busy = size;
        return {
          async next() {
            while (busy > 0) {
              const reply = await inbox.next();
              if (reply.type === 'failed') throw errorOf(reply.failure);
              if (reply.type === 'idle' || (reply.type === 'summed' && reply.isLast)) busy -= 1;
              if (reply.type === 'summed') return reply;
            }
            return undefined;
          },
        };
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type ReplyOf<Type extends ThreadReply['type']> = Extract<ThreadReply, { type: Type }>;

function startThread(workerData: ThreadStart, inbox: Inbox): Worker {
  // Who profiles the process wants its threads too. An option whose value is an argument of its own would lose it.
  const execArgv = process.execArgv.filter((option) => /^--cpu-prof($|-[a-z-]+=)/.test(option));
  const thread = new Worker(threadFile, { workerData, execArgv });
  thread.on('message', inbox.put);
  thread.on('error', (error: unknown) => {
    const { message, stack } = toError(error);
    inbox.put({ type: 'failed', failure: { message, ...(stack === undefined ? {} : { stack }) } });
  });
  return thread;
}

/** Replies of all threads in order of arrival. A failure stays: nothing can be expected after it. */
interface Inbox {
  put(reply: ThreadReply): void;
  next(): Promise<ThreadReply>;
}

function createInbox(): Inbox {
  const waiting: ThreadReply[] = [];
  let failed: ThreadReply | undefined;
  let wake: (() => void) | undefined;
  return {
    put(reply) {
      if (reply.type === 'failed') failed ??= reply;
      waiting.push(reply);
      wake?.();
    },
    async next() {
      for (;;) {
        const reply = failed ?? waiting.shift();
        if (reply) return reply;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

function errorOf({ code, message, hint, stack, leaf }: ThreadFailure): Error {
  const options = hint === undefined ? {} : { hint };
  const error =
    code === undefined ? new Error(message) : new GradwireError(code as ErrorCode, message, options);
  if (stack !== undefined) error.stack = stack;
  return leaf === undefined ? error : new LeafFailure(leaf, error);
}
