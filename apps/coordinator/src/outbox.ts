import type { EnginePlan } from '@gradwire/engine';
import { closeCodes } from '@gradwire/protocol';
import type { Channel, Frame } from '@gradwire/transport';

/** Frames that go together. */
export interface Parcel {
  /** Of the weights that they are about. */
  readonly version: number;
  /** Called when their turn has come: what waits is not encoded yet, and takes no memory but the weights. */
  readonly frames: () => readonly Frame[];
}

/** Weights and leases for one worker, in order. */
export interface Outbox {
  /**
   * Sends the first parcel at once and each other one when the line has taken those before it; all of them after those that
   * still wait. The channel ends as congested if one that waits is `maxBehind` versions behind.
   */
  send(parcels: readonly Parcel[]): void;
}

/** The outbox of each channel: nobody may be two periods of error feedback behind, and without it nothing waits here. */
export function createOutboxes({ coding }: Pick<EnginePlan, 'coding'>): (channel: Channel) => Outbox {
  const outboxes = new WeakMap<Channel, Outbox>();
  return (channel) => {
    const outbox = outboxes.get(channel) ?? createOutbox(channel, 2 * (coding?.feedbackSteps ?? 1));
    outboxes.set(channel, outbox);
    return outbox;
  };
}

function createOutbox(channel: Channel, maxBehind: number): Outbox {
  let waiting: Parcel[] = [];
  void channel.closed.then(() => (waiting = []));
  const sendNext = (): void => {
    for (const frame of waiting.shift()?.frames() ?? []) channel.send(frame);
  };
  const sendWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      await channel.drained();
      sendNext();
    }
  };
  return {
    send(parcels) {
      const [oldest] = waiting;
      waiting.push(...parcels);
      if (!oldest) {
        sendNext();
        void sendWaiting();
      } else if ((parcels.at(-1)?.version ?? 0) - oldest.version >= maxBehind) {
        waiting = [];
        channel.close(
          closeCodes.congestion.code,
          `version ${oldest.version} of the weights waits to be sent`,
        );
      }
    },
  };
}
