import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type HeartbeatSubject, startHeartbeat } from './heartbeat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Watched extends HeartbeatSubject {
  state: { received: number; buffered: number; isPaused: boolean; pings: number; silences: number[] };
}

function createWatched(): Watched {
  const state = { received: 0, buffered: 0, isPaused: false, pings: 0, silences: [] as number[] };
  return {
    state,
    receivedBytes: () => state.received,
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

test('any byte is a sign of life', () => {
  const watched = createWatched();
  startHeartbeat(watched, options);
  for (let look = 0; look < 100; look++) {
    if (look % 5 === 0) watched.state.received++;
    vi.advanceTimersByTime(5_000);
  }
  expect(watched.state.silences).toEqual([]);
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

test('a jump of the clock is not silence', () => {
  const watched = createWatched();
  startHeartbeat(watched, options);
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(5_000);
  expect(watched.state.silences).toEqual([]);
});
