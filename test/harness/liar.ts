import {
  decodeMessage,
  encodeMessage,
  messageLimits,
  type Message,
  type PartialMessage,
} from '@gradwire/protocol';
import type { Channel } from '@gradwire/transport';
import { createMember } from '@gradwire/worker';
import type { SmallRun } from './small-run.ts';

/** Whether it has changed a partial. */
type Tampering = (partial: { -readonly [Key in keyof PartialMessage]: PartialMessage[Key] }) => boolean;

/** Passes on everything, but for what `change` makes of a worker's partials. */
function tamper(channel: Channel, change: Tampering): Channel {
  const limits = messageLimits({ role: 'worker', parameters: 51, classes: 3 });
  return {
    ...channel,
    get bufferedBytes() {
      return channel.bufferedBytes;
    },
    send(frame) {
      const bytes = frame instanceof Uint8Array ? frame : Buffer.concat(frame as Uint8Array[]);
      const message = decodeMessage(bytes, limits) as Message;
      const isChanged = message.type === 'partial' && change(message);
      channel.send(isChanged ? encodeMessage(message) : frame);
    },
  };
}

/** A worker over a tampered channel. */
export async function lie(run: SmallRun, name: string, change: Tampering): Promise<void> {
  const over = new AbortController();
  const member = await createMember({
    name,
    backend: 'wasm',
    threads: 1,
    software: 'test',
    cacheDirectory: `${run.directory}/cache`,
    findLocal: async () => ({ ...run.data, source: 'here' }),
    signal: over.signal,
    onEvent: () => undefined,
  });
  try {
    const { url, coordinator } = run;
    await member.serve(tamper(coordinator.connect(), change), { url, token: coordinator.token });
  } finally {
    await member.close();
  }
}
