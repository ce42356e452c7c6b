import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeCodes } from '@gradwire/protocol';
import { describe, expect, test } from 'vitest';
import {
  type Channel,
  connectChannel,
  createAccess,
  createChannelServer,
  createPair,
  createToken,
} from './index.ts';

/** Two ends of one connection. */
interface Ends extends AsyncDisposable {
  readonly left: Channel;
  readonly right: Channel;
}

interface Limits {
  readonly maxUnreadFrames?: number;
  readonly maxBufferedBytes?: number;
}

type Open = (limits?: Limits) => Promise<Ends>;

const openPair: Open = async (limits) => {
  const [left, right] = createPair(limits);
  return { left, right, [Symbol.asyncDispose]: async () => left.close(1000, '') };
};

const openWebSocket: Open = async (limits = {}) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const token = createToken();
  const { promise: accepted, resolve: onChannel } = withResolvers<Channel>();
  const options = { token, maxFrameBytes: 2 ** 26, limits };
  const access = createAccess({ run: 'test', token });
  const channels = createChannelServer({ maxFrameBytes: 2 ** 26, limits, access, server, onChannel });
  const { port } = server.address() as AddressInfo;
  const left = await connectChannel(`ws://127.0.0.1:${port}/`, options);
  const close = async (): Promise<void> => {
    await channels.close();
    server.close();
  };
  return { left, right: await accepted, [Symbol.asyncDispose]: close };
};

const openWebSocketFromServer: Open = async (limits) => {
  const { left, right, ...rest } = await openWebSocket(limits);
  return { left: right, right: left, ...rest };
};

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((given) => (resolve = given));
  return { promise, resolve };
}

/** The first bytes of every frame. */
async function readAll(channel: Channel): Promise<number[][]> {
  const frames: number[][] = [];
  for await (const frame of channel.frames) frames.push([...frame.subarray(0, 8)]);
  return frames;
}

async function readSome(channel: Channel, count: number): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for await (const frame of channel.frames) {
    frames.push(frame);
    if (frames.length === count) break;
  }
  return frames;
}

/** A turn of the event loop, in which sockets are served too. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each<[string, Open]>([
  ['in-process pair', openPair],
  ['WebSocket, from the client', openWebSocket],
  ['WebSocket, from the server', openWebSocketFromServer],
])('%s', (_, open) => {
  test('carries frames of any size, whole and in order, both ways', async () => {
    await using ends = await open();
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 3_000_000, 2 ** 22, 2 ** 22 + 1, 7, 9_000_000, 8];
    const frames = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
    for (const frame of frames) {
      ends.left.send(frame);
      ends.right.send(frame);
    }
    for (const channel of [ends.right, ends.left]) {
      const received = await readSome(channel, frames.length);
      expect(received.map((frame) => frame.length)).toEqual(sizes);
      for (const [index, frame] of received.entries())
        expect(Buffer.compare(frame, frames[index] ?? frame)).toBe(0);
    }
  });

  test('a frame may be sent in pieces, and arrives whole', async () => {
    await using ends = await open();
    for (const sizes of [[], [0], [2, 0, 3], [100, 70_000], [3, 5_000_000, 0, 4 * 2 ** 20, 7]]) {
      const pieces = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
      ends.left.send(pieces);
    }
    const received = await readSome(ends.right, 5);
    expect(received.map((frame) => frame.length)).toEqual([0, 0, 5, 70_100, 5_000_010 + 2 ** 22]);
    expect([...(received[2] ?? [])]).toEqual([1, 1, 3, 3, 3]);
    const last = received[4] ?? new Uint8Array();
    const ends4 = [2, 3, 5_000_002, 5_000_003, last.length - 8, last.length - 7].map((at) => last[at]);
    expect(ends4).toEqual([1, 2, 2, 4, 4, 5]);
  });

  test('a large frame does not count as congestion, however small the limit', async () => {
    await using ends = await open({ maxUnreadFrames: 1, maxBufferedBytes: 12 * 2 ** 20 });
    ends.left.send(new Uint8Array(40 * 2 ** 20));
    await nextTurn();
    ends.left.send(Uint8Array.of(1));
    ends.left.send(Uint8Array.of(2));
    const received = await readSome(ends.right, 3);
    expect(received.map((frame) => frame.length)).toEqual([40 * 2 ** 20, 1, 1]);
  });

  test('large frames that nobody reads do', async () => {
    await using ends = await open({ maxUnreadFrames: 1, maxBufferedBytes: 12 * 2 ** 20 });
    const frame = new Uint8Array(10 * 2 ** 20);
    for (let index = 0; index < 20; index++) {
      ends.left.send(frame);
      await nextTurn();
    }
    expect(await ends.left.closed).toMatchObject({ code: closeCodes.congestion.code });
  });

  test('a frame is a plain Uint8Array that belongs to the receiver', async () => {
    await using ends = await open();
    const sent = Uint8Array.of(1, 2, 3);
    ends.left.send(sent);
    const [received] = await readSome(ends.right, 1);
    expect(received).toEqual(Uint8Array.of(1, 2, 3));
    expect(Buffer.isBuffer(received)).toBe(false);
    received?.fill(9);
    expect([...sent]).toEqual([1, 2, 3]);
  });

  test('close flushes what was sent, then tells code and reason to both sides', async () => {
    await using ends = await open();
    for (let index = 0; index < 20; index++) {
      ends.left.send(new Uint8Array(index % 8 === 7 ? 5_000_000 : 100_000).fill(index));
    }
    ends.left.close(closeCodes.runEnded.code, 'the end');
    const frames = await readAll(ends.right);
    expect(frames.map(([first]) => first)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    const expected = { code: closeCodes.runEnded.code, reason: 'the end' };
    expect(await ends.right.closed).toEqual(expected);
    expect(await ends.left.closed).toEqual(expected);
  });

  test('the first close counts; afterwards sending and closing do nothing', async () => {
    await using ends = await open();
    ends.left.close(closeCodes.goodbye.code, 'first');
    ends.left.close(closeCodes.internal.code, 'second');
    ends.left.send(Uint8Array.of(1));
    expect(await readAll(ends.right)).toEqual([]);
    expect(await ends.left.closed).toEqual({ code: closeCodes.goodbye.code, reason: 'first' });
    await ends.right.closed;
    ends.right.send(Uint8Array.of(1));
    ends.right.close(closeCodes.internal.code, 'third');
    expect(await ends.right.closed).toMatchObject({ reason: 'first' });
    expect(await readAll(ends.left)).toEqual([]);
  });

  test('frames that arrived before the end can be read after it', async () => {
    await using ends = await open();
    ends.left.send(Uint8Array.of(1));
    ends.left.send(Uint8Array.of(2));
    ends.left.close(closeCodes.goodbye.code, '');
    await ends.right.closed;
    expect(await readAll(ends.right)).toEqual([[1], [2]]);
  });

  test('a reader that stops reading stops the sender', async () => {
    await using ends = await open({ maxUnreadFrames: 2 });
    const frame = new Uint8Array(2 ** 20);
    for (let index = 0; index < 40; index++) ends.left.send(frame);
    for (let turn = 0; turn < 500; turn++) await nextTurn();
    // Two frames in the queue, and what the system holds: far less than was sent.
    expect(ends.left.bufferedBytes).toBeGreaterThan(10 * frame.length);
    let isDrained = false;
    const drained = ends.left.drained(frame.length).then(() => (isDrained = true));
    await nextTurn();
    expect(isDrained).toBe(false);
    const received = await readSome(ends.right, 40);
    expect(received).toHaveLength(40);
    await drained;
    expect(ends.left.bufferedBytes).toBeLessThan(frame.length);
  });

  test('a channel whose other side never reads ends as congested', async () => {
    await using ends = await open({ maxUnreadFrames: 1, maxBufferedBytes: 8 * 2 ** 20 });
    const frame = new Uint8Array(2 ** 20);
    for (let index = 0; index < 200; index++) {
      ends.left.send(frame);
      await nextTurn();
    }
    expect(await ends.left.closed).toMatchObject({ code: closeCodes.congestion.code });
    expect(ends.left.bufferedBytes).toBeLessThan(10 * frame.length);
    await ends.left.drained(1);
  });

  test('a reader that leaves early does not keep the channel from ending', async () => {
    await using ends = await open({ maxUnreadFrames: 1 });
    for (let index = 0; index < 30; index++) ends.left.send(new Uint8Array(2 ** 20));
    await readSome(ends.right, 1);
    ends.left.close(closeCodes.goodbye.code, 'bye');
    expect(await ends.right.closed).toMatchObject({ reason: 'bye' });
  });

  test('drained resolves at once when little is queued, and when the channel has ended', async () => {
    await using ends = await open();
    await ends.left.drained();
    ends.right.close(closeCodes.goodbye.code, '');
    await ends.left.closed;
    await ends.left.drained(0);
  });

  test('there is one reader', async () => {
    await using ends = await open();
    ends.left.frames[Symbol.asyncIterator]();
    expect(() => ends.left.frames[Symbol.asyncIterator]()).toThrow(TypeError);
  });

  test('a long reason is cut, not an error', async () => {
    await using ends = await open();
    ends.left.close(closeCodes.internal.code, 'ä'.repeat(500));
    const { code, reason } = await ends.right.closed;
    expect(code).toBe(closeCodes.internal.code);
    expect(reason).toMatch(/^ä{50}/);
  });
});
