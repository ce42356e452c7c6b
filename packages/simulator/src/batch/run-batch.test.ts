import { expect, test } from 'vitest';
import { runBatch } from './run-batch.ts';

test('a batch that is stopped leaves the seeds that it has begun', async () => {
  const stop = new AbortController();
  let done = 0;
  const size = { workers: 100, steps: 100 };
  const batch = runBatch({
    first: 0,
    count: 2,
    threads: 1,
    repeatEvery: Infinity,
    size,
    signal: stop.signal,
    onProgress: () => done++,
  });
  stop.abort('SIGINT');
  await expect(batch).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(done).toBe(0);
});

test('a batch that was stopped before simulates nothing', async () => {
  const range = { first: 0, count: 1, threads: 1, onProgress: () => expect.unreachable() };
  const batch = runBatch({ ...range, signal: AbortSignal.abort('SIGINT') });
  await expect(batch).rejects.toMatchObject({ code: 'CANCELLED' });
});
