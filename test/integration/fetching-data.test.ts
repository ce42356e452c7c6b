import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startSmallRun } from '../harness/small-run.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';

/** To join: one connection asks for the challenge, the next one answers it. */
const joining = 2;

interface Fetched {
  readonly weightsSha256: string;
  /** Connections that the worker made: one for messages, the others for data. */
  readonly connections: number;
}

/** A run whose worker has no data but a cache folder. */
async function runWithCache(cacheDirectory: string): Promise<Fetched> {
  await using run = await startSmallRun();
  await using cable = await startTcpProxy(run.coordinator.port);
  const { outcome } = run.work({ url: `ws://127.0.0.1:${cable.port}`, cacheDirectory });
  const { summary } = await run.coordinator.done;
  expect(await outcome).toMatchObject({ outcome: 'finished' });
  return { weightsSha256: summary.weightsSha256, connections: cable.connections };
}

test('data is fetched once and then read from the cache; a damaged piece is fetched again', async () => {
  await using cache = await createTemporaryFolder();
  const first = await runWithCache(cache.path);
  expect(first.connections).toBeGreaterThan(joining);

  const second = await runWithCache(cache.path);
  expect(second).toEqual({ weightsSha256: first.weightsSha256, connections: joining });

  const entries = await readdir(cache.path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) {
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(file, bytes);
  }
  const third = await runWithCache(cache.path);
  expect(third.weightsSha256).toBe(first.weightsSha256);
  expect(third.connections).toBeGreaterThan(joining);
});

test('data that differs from the run on this machine is not used', async () => {
  await using calm = await startSmallRun();
  calm.work();
  const expected = (await calm.coordinator.done).summary.weightsSha256;
  await using run = await startSmallRun();
  const { events } = run.work({
    findLocal: async () => {
      const { train, test } = { ...run.data };
      return {
        train: { ...train, labels: train.labels.map((label) => (label + 1) % 3) },
        test,
        source: 'old copy',
      };
    },
  });
  const { summary } = await run.coordinator.done;
  expect(summary.weightsSha256).toBe(expected);
  const fetched = events.flatMap((event) => (event.type === 'prepared' ? [event.fetchedBytes] : []));
  expect(fetched[0]).toBeGreaterThan(0);
  expect(events.map(({ type }) => type)).not.toContain('data-local');
});

test('data of the run on this machine is used, and nothing is fetched', async () => {
  await using run = await startSmallRun();
  await using cable = await startTcpProxy(run.coordinator.port);
  const url = `ws://127.0.0.1:${cable.port}`;
  const { events } = run.work({ url, findLocal: async () => ({ ...run.data, source: 'this machine' }) });
  await run.coordinator.done;
  expect(events).toContainEqual({ type: 'data-local', source: 'this machine' });
  expect(cable.connections).toBe(joining);
});
