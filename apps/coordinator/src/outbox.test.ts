import { closeCodes } from '@gradwire/protocol';
import { type Channel, createPair } from '@gradwire/transport';
import { expect, test } from 'vitest';
import { createOutboxes, type Outbox, type Parcel } from './outbox.ts';

interface Line {
  readonly outbox: Outbox;
  readonly mine: Channel;
  readonly theirs: Channel;
  /** Versions whose frames were made. */
  readonly made: readonly number[];
  /** A megabyte. */
  parcel(version: number): Parcel;
}

/** With periods of four steps; the other side takes one frame at a time. */
function open(): Line {
  const [mine, theirs] = createPair({ maxUnreadFrames: 1 });
  const made: number[] = [];
  const parcel = (version: number): Parcel => ({
    version,
    frames: () => {
      made.push(version);
      return [new Uint8Array(2 ** 20).fill(version)];
    },
  });
  const coding = { groupSize: 1, code: (gradient: Float32Array) => gradient, feedbackSteps: 4 };
  return { outbox: createOutboxes({ coding })(mine), mine, theirs, made, parcel };
}

async function read({ theirs }: Line, count: number): Promise<(number | undefined)[]> {
  const versions: (number | undefined)[] = [];
  for await (const [version] of theirs.frames) if (versions.push(version) === count) break;
  return versions;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what comes alone goes at once', () => {
  const line = open();
  for (const version of [1, 2, 3]) line.outbox.send([line.parcel(version)]);
  expect(line.made).toEqual([1, 2, 3]);
});

test('what comes together is made as the other side reads, and later parcels wait for it', async () => {
  const line = open();
  line.outbox.send([0, 1, 2, 3, 4].map(line.parcel));
  line.outbox.send([line.parcel(5)]);
  await nextTurn();
  expect(line.made).toEqual([0, 1]);
  expect(await read(line, 6)).toEqual([0, 1, 2, 3, 4, 5]);
  line.outbox.send([line.parcel(6)]);
  expect(line.made).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('who is two periods behind is too slow', async () => {
  const line = open();
  line.outbox.send([0, 1, 2, 3].map(line.parcel));
  await nextTurn();
  line.outbox.send([8, 9].map(line.parcel));
  line.outbox.send([line.parcel(10)]);
  expect(await line.mine.closed).toEqual({
    code: closeCodes.congestion.code,
    reason: 'version 2 of the weights waits to be sent',
  });
  await nextTurn();
  expect(line.made).toEqual([0, 1]);
});

test('nothing is made for a channel that has ended', async () => {
  const line = open();
  line.outbox.send([0, 1, 2, 3, 4].map(line.parcel));
  await nextTurn();
  line.theirs.close(closeCodes.goodbye.code, '');
  await nextTurn();
  expect(line.made).not.toContain(4);
});
