import { createReadStream } from 'node:fs';
import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { prepareBackend } from '@gradwire/backend';
import { decodeSafetensors, readModel, weightsSha256 } from '@gradwire/checkpoint';
import { microBatchSize } from '@gradwire/data';
import { findRecipe } from '@gradwire/recipes';
import { createBatcher, createTrainer } from '@gradwire/training';
import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGradwire } from '../harness/gradwire.ts';
import { jsonLines } from '../harness/json-output.ts';
import { readMnist } from '../harness/mnist.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, train } from '../harness/train.ts';

// Batch size and shard count that do not divide 60,000, over a whole epoch.
const [batchSize, shards] = [1_300, 7];
const steps = Math.ceil(60_000 / batchSize);
const args = ['--recipe', 'mnist-logistic', '--backend', 'wasm', '--epochs', '1'];
let folder: TemporaryFolder;
let run: string;

beforeAll(async () => {
  folder = await createTemporaryFolder();
  await train([...args, '--batch-size', `${batchSize}`, '--shards', `${shards}`], { runDir: folder.path });
  run = join(folder.path, '0001-mnist-logistic');
});
afterAll(() => folder[Symbol.asyncDispose]());

interface LedgerLine {
  readonly step: number;
  readonly contributions: readonly { worker: string; lo: number; hi: number; samples: number }[];
}

test('the ledger of an epoch: every shard of every step once, 60,000 samples in all', async () => {
  const ledger = jsonLines(await readFile(join(run, 'ledger.jsonl'), 'utf8')) as unknown as LedgerLine[];
  expect(ledger.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
  let total = 0;
  for (const { step, contributions } of ledger) {
    const uses = new Uint8Array(shards);
    for (const { lo, hi, samples } of contributions) {
      const sizes = Array.from({ length: hi - lo }, (_, i) =>
        microBatchSize({ count: 60_000, shards, batchSize, step: step - 1, shard: lo + i }),
      );
      expect(samples).toBe(sizes.reduce((sum, size) => sum + size, 0));
      for (let shard = lo; shard < hi; shard += 1) uses[shard] = (uses[shard] ?? 0) + 1;
      total += samples;
    }
    expect([...uses], `step ${step}`).toEqual(Array.from({ length: shards }, () => 1));
  }
  expect(total).toBe(60_000);
  const summary = await readSummary(run);
  expect(summary).toMatchObject({ steps, epochs: 1, samplesSeen: 60_000, outcome: 'finished' });
  const leases = ledger.flatMap(({ contributions }) => contributions);
  for (const { name, leases: count } of summary.workers) {
    const own = leases.filter(({ worker }) => worker === name);
    expect(own.reduce((sum, { lo, hi }) => sum + hi - lo, 0)).toBe(count);
  }
});

test('metrics: a line a step, an epoch, an evaluation', async () => {
  const lines = jsonLines(await readFile(join(run, 'metrics.jsonl'), 'utf8'));
  const types = lines.map(({ type }) => type);
  expect(types.filter((type) => type === 'step').length).toBe(steps);
  expect(types.slice(-2)).toEqual(['epoch', 'evaluation']);
  expect(lines.at(-1)).toMatchObject({ split: 'test', samples: 10_000 });
});

test('a second run gets the next number, `latest` follows, nothing is overwritten', async () => {
  const before = await stat(join(run, 'summary.json'));
  await train([...args, '--steps', '2'], { runDir: folder.path });
  expect((await readdir(folder.path)).sort()).toEqual([
    '0001-mnist-logistic',
    '0002-mnist-logistic',
    'latest',
  ]);
  expect(await readlink(join(folder.path, 'latest'))).toBe('0002-mnist-logistic');
  const after = await stat(join(run, 'summary.json'));
  expect([after.mtimeMs, after.ino]).toEqual([before.mtimeMs, before.ino]);
});

test('recipe.json repeats the run, bit for bit', async () => {
  const again = await train(['--recipe', join(run, 'recipe.json'), '--backend', 'wasm', '--workers', '3']);
  expect(again.weightsSha256).toBe((await readSummary(run)).weightsSha256);
  const recipe = JSON.parse(await readFile(join(run, 'recipe.json'), 'utf8')) as object;
  expect(recipe).toEqual({ ...findRecipe('mnist-logistic'), epochs: 1, batchSize, shards });
});

test('audit is clean, reproduce finds the same weights, diff names what differs', {
  timeout: 300_000,
}, async () => {
  const audit = await runGradwire(['audit', run, '--json']);
  expect(audit.code, audit.stderr).toBe(0);
  expect(JSON.parse(audit.stdout)).toMatchObject({ isClean: true, steps, wholeEpochs: 1, samples: 60_000 });

  const runDir = join(folder.path, 'again');
  const again = await runGradwire(['reproduce', run, '--workers', '2', '--run-dir', runDir]);
  expect(again.code, again.stderr).toBe(0);
  expect(again.stdout).toContain(`no difference in ${steps} steps: the same weights after each of them`);

  await train([...args, '--seed', '5', '--steps', '3'], { runDir });
  const diff = await runGradwire(['diff', run, join(runDir, 'latest'), '--json']);
  expect(diff.code).toBe(12);
  expect(JSON.parse(diff.stdout)).toMatchObject({
    isEqual: false,
    recipe: expect.arrayContaining([`seed: ${findRecipe('mnist-logistic').seed} and 5`]) as string[],
    first: { step: 1 },
  });
});

test('the model loads with tf.loadLayersModel over HTTP, as it lies there, and answers as the trainer does', async () => {
  const stored = await readModel(run);
  await prepareBackend('wasm');
  const trainer = createTrainer({ recipe: findRecipe('mnist-logistic') });
  trainer.setWeights(stored.weights);
  const { test: data } = await readMnist();
  const indices = Uint32Array.from({ length: 50 }, (_, i) => i * 3);
  const { features } = createBatcher(findRecipe('mnist-logistic'), stored.statistics as never)(data, indices);

  await using server = await serveFolder(join(run, 'model'));
  const model = await loadLayersModel(`${server.url}/model.json`);
  const theirs = tidy(() => (model.predict(tensor(features, [50, 28, 28, 1])) as Tensor).dataSync());
  const ours = trainer.predict(features, 50);
  expect(ours.length).toBe(500);
  for (const [i, probability] of ours.entries()) expect(probability).toBeCloseTo(theirs[i] ?? Number.NaN, 5);
  model.dispose();
  trainer.dispose();
});

test('safetensors, weights.bin and the summary hold the same weights', async () => {
  const { weightsSha256: hash } = await readSummary(run);
  const { weights, layout, classNames, statistics } = await readModel(join(run, 'model'));
  expect(weightsSha256(weights)).toBe(hash);
  expect(classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  // MNIST's well-known mean and deviation.
  expect(statistics?.mean[0]).toBeCloseTo(0.1307, 4);
  expect(statistics?.deviation[0]).toBeCloseTo(0.3081, 4);
  const { tensors } = decodeSafetensors(await readFile(join(run, 'model', 'weights.safetensors')));
  for (const { name, offset, size, shape } of layout.parameters) {
    const found = tensors.find((candidate) => candidate.name === name);
    expect(found?.shape).toEqual(shape);
    expect(found?.data).toEqual(weights.subarray(offset, offset + size));
  }
});

test('the report is one file that needs nothing else', async () => {
  const html = await readFile(join(run, 'report.html'), 'utf8');
  expect(html).toContain((await readSummary(run)).weightsSha256);
  expect(html).not.toMatch(/(src|href)="?https?:/);
});

/** Serves the files of a folder on a free port. */
async function serveFolder(path: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    createReadStream(join(path, request.url ?? ''))
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a run whose model could not be written, as on a full disk, goes on from its last snapshot and writes it', async () => {
  await using place = await createTemporaryFolder();
  const short = ['--steps', '40', '--snapshot-every', '15'];
  const { weightsSha256: expected } = await train([...args, ...short], { runDir: place.path });
  const latest = join(place.path, 'latest');
  const refused = await runGradwire(['train', '--resume', latest]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('has finished')]);
  await rm(join(latest, 'model'), { recursive: true });
  const { code, stderr } = await runGradwire(['train', '--resume', latest]);
  expect(code, stderr).toBe(0);
  expect(weightsSha256((await readModel(join(latest, 'model'))).weights)).toBe(expected);
});
