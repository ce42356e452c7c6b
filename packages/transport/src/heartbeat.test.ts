import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type HeartbeatSubject, startHeartbeat } from './heartbeat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Watched extends HeartbeatSubject {
  state: {
    received: number;
    bytes: number;
    buffered: number;
    isPaused: boolean;
    pings: number;
    silences: number[];
  };
}

function createWatched(): Watched {
  const state = { received: 0, bytes: 0, buffered: 0, isPaused: false, pings: 0, silences: [] as number[] };
  return {
    state,
    received: () => state.received,
    receivedBytes: () => state.bytes,
    bufferedBytes: () => state.buffered,
    isPaused: () => state.isPaused,
    ping: () => void state.pings++,
    onSilence: (silentMs) => void state.silences.push(silentMs),
  };
}

const options = { intervalMs: 5_000, silenceMs: 30_000 };

test('pings every 5 s and reports after 30 s of silence', () => {
  const watched = createWatched();
  const stop = startHeartbeat(watched, options);
  vi.advanceTimersByTime(29_999);
  expect(watched.state).toMatchObject({ pings: 5, silences: [] });
  vi.advanceTimersByTime(1);
  expect(watched.state.silences).toEqual([30_000]);
  stop();
  vi.advanceTimersByTime(60_000);
  expect(watched.state.silences).toHaveLength(1);
});

test.each([
  ['a message, ping or pong', 'received', 1],
  ['a kilobyte of a large frame', 'bytes', 1_024],
] as const)('%s is a sign of life', (_, key, amount) => {
  const watched = createWatched();
  startHeartbeat(watched, options);
  for (let look = 0; look < 100; look++) {
    if (look % 5 === 0) watched.state[key] += amount;
    vi.advanceTimersByTime(5_000);
  }
  expect(watched.state.silences).toEqual([]);
});

test('a few bytes of a message that never ends are none', () => {
  const watched = createWatched();
  const stop = startHeartbeat(watched, options);
  for (let look = 0; look < 6; look++) {
    watched.state.bytes += 6;
    vi.advanceTimersByTime(5_000);
  }
  expect(watched.state.silences).toEqual([30_000]);
  stop();
});

test('what waits to be sent is given its time, and a pause of our own is not silence', () => {
  const watched = createWatched();
  startHeartbeat(watched, options);
  watched.state.buffered = 20_000_000;
  vi.advanceTimersByTime(49_999);
  expect(watched.state.silences).toEqual([]);
  watched.state.isPaused = true;
  vi.advanceTimersByTime(600_000);
  expect(watched.state.silences).toEqual([]);
  Object.assign(watched.state, { isPaused: false, buffered: 0 });
  vi.advanceTimersByTime(30_000);
  expect(watched.state.silences).toEqual([30_000]);
});

test('scenario 10: a jump of the clock is not silence', () => {
  const watched = createWatched();
  startHeartbeat(watched, options);
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(5_000);
  expect(watched.state.silences).toEqual([]);
});
