import {
  type CoordinatorMessage,
  decodeMessage,
  encodeMessage,
  messageLimits,
  protocolVersion,
  type WorkerMessage,
} from '@gradwire/protocol';
import { type Channel, connectChannel } from '@gradwire/transport';

/** How a guest comes. */
export interface GuestOptions {
  readonly url: string;
  readonly token: string;
  readonly name: string;
  /** How far it gets; default: to where it may be given leases. */
  readonly until?: 'connected' | 'welcome' | 'prepare';
}

const limits = messageLimits({ role: 'coordinator' });

/** Joins as a worker that is ready for leases, and computes none. Resolves when it got as far as it was to. */
export async function joinAsGuest({ url, token, name, until = 'prepare' }: GuestOptions): Promise<Channel> {
  const channel = await connectChannel(url, { token, maxFrameBytes: limits.maxFrameBytes });
  if (until === 'connected') return channel;
  const send = (message: WorkerMessage): void => channel.send(encodeMessage(message));
  const hello = { protocol: protocolVersion, software: 'test', name, backend: 'wasm', threads: 1 } as const;
  send({ type: 'hello', ...hello });
  await new Promise<void>((resolve, reject) => {
    const read = async (): Promise<void> => {
      for await (const frame of channel.frames) {
        const message = decodeMessage(frame, limits) as CoordinatorMessage;
        if (message.type === 'welcome') send({ type: 'ready', numericsClass: 'wasm-guest' });
        if (message.type === 'prepare') send({ type: 'prepared', shards: message.shards, fetchedBytes: 0 });
        if (message.type === until) resolve();
      }
    };
    read().then(() => reject(new Error(`${name}: the connection ended`)), reject);
  });
  return channel;
}
