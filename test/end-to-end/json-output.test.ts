import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGradwire, startGradwire } from '../harness/gradwire.ts';
import { jsonDocument, jsonLines } from '../harness/json-output.ts';
import { mnistFolder, readMnist } from '../harness/mnist.ts';
import { encodePng } from '../harness/png.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary } from '../harness/train.ts';

// stdout is data: each command's is parsed line by line, and one stray word fails the test.
const recipe = ['--recipe', 'mnist-logistic', '--steps', '30'];
let folder: TemporaryFolder;
let trained: Awaited<ReturnType<typeof runGradwire>>;

beforeAll(async () => {
  folder = await createTemporaryFolder();
  const args = ['train', '--json', ...recipe, '--workers', '2', '--backend', 'wasm', '--run-dir', 'runs'];
  trained = await runGradwire(args, { cwd: folder.path });
});
afterAll(() => folder[Symbol.asyncDispose]());

test('train: one JSON object a line, from the start to the summary', async () => {
  expect(trained.code, trained.stderr).toBe(0);
  const lines = jsonLines(trained.stdout);
  const kinds = new Set(lines.map(({ event }) => event));
  for (const kind of ['listening', 'started', 'worker-joined', 'worker-ready', 'step', 'evaluated', 'end']) {
    expect(kinds, kind).toContain(kind);
  }
  const steps = lines
    .filter(({ event }) => event === 'step')
    .map(({ record }) => (record as { step: number }).step);
  expect(steps).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  expect(lines.at(-1)).toMatchObject({ event: 'end', outcome: 'finished' });
  expect(lines.at(-1)?.['summary']).toEqual(await readSummary(join(folder.path, 'runs', 'latest')));
});

test('coordinator and worker: JSON lines on both sides', async () => {
  const env = { GRADWIRE_TOKEN: 'json-token' };
  const place = ['--port', '0', '--run-dir', join(folder.path, 'coordinated')];
  await using coordinator = startGradwire(['coordinator', '--json', ...recipe, ...place], { env });
  const { port } = await coordinator.line(({ event }) => event === 'listening');
  const worker = await runGradwire(['worker', `ws://127.0.0.1:${port}`, '--json', '--backend', 'wasm'], {
    env,
  });
  expect(worker.code, worker.stderr).toBe(0);
  expect(await coordinator.exited).toBe(0);
  expect(jsonLines(coordinator.output.stdout).at(-1)).toMatchObject({ event: 'end', outcome: 'finished' });
  const lines = jsonLines(worker.stdout);
  expect(lines.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['connecting', 'joined', 'ready', 'computed']),
  );
  expect(lines.at(-1)).toMatchObject({ event: 'ended', outcome: 'finished' });
});

test('evaluate: the figures of the summary, bit for bit', async () => {
  const { code, stdout, stderr } = await runGradwire(
    ['evaluate', 'runs/latest', '--json', '--backend', 'wasm'],
    {
      cwd: folder.path,
    },
  );
  expect(code, stderr).toBe(0);
  const { testAccuracy, testLoss, confusion, weightsSha256 } = await readSummary(
    join(folder.path, 'runs', 'latest'),
  );
  expect(jsonDocument(stdout)).toMatchObject({
    samples: 10_000,
    accuracy: testAccuracy,
    loss: testLoss,
    confusion,
    weightsSha256,
    backend: 'wasm',
  });
});

test('evaluate: any pair of IDX files', async () => {
  const pair = ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'].map((name) => join(mnistFolder, name));
  const [images = '', labels = ''] = pair;
  const args = ['evaluate', 'runs/latest', '--json', '--images', images, '--labels', labels];
  const { code, stdout, stderr } = await runGradwire(args, { cwd: folder.path });
  expect(code, stderr).toBe(0);
  const { testAccuracy } = await readSummary(join(folder.path, 'runs', 'latest'));
  expect(jsonDocument(stdout)['accuracy']).toBeCloseTo(testAccuracy ?? Number.NaN, 3);

  const alone = await runGradwire(['evaluate', 'runs/latest', '--images', images], { cwd: folder.path });
  expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining('--labels is not'), stdout: '' });
});

test('predict: a picture of the test set, and its colours turned round', async () => {
  const { test: data } = await readMnist();
  const pixels = data.features.subarray(0, 784) as Uint8Array;
  await writeFile(join(folder.path, 'light.png'), encodePng(pixels, 28));
  await writeFile(
    join(folder.path, 'dark.png'),
    encodePng(
      pixels.map((x) => 255 - x),
      28,
    ),
  );
  const { code, stdout, stderr } = await runGradwire(
    ['predict', 'runs/latest', 'light.png', 'dark.png', '--json'],
    {
      cwd: folder.path,
    },
  );
  expect(code, stderr).toBe(0);
  const { predictions } = jsonDocument(stdout) as unknown as { predictions: Prediction[] };
  expect(predictions.map(({ image, label }) => [image, label])).toEqual([
    ['light.png', '7'],
    ['dark.png', '7'],
  ]);
  expect(predictions[0]?.probability).toBe(predictions[1]?.probability);
  expect(stderr).toContain('dark.png: dark on light, turned round');

  // What is no picture is said, and costs the others nothing.
  await writeFile(join(folder.path, 'none.png'), 'no picture');
  const mixed = await runGradwire(['predict', 'runs/latest', 'none.png', 'light.png'], { cwd: folder.path });
  expect(mixed).toMatchObject({ code: 4, stderr: expect.stringContaining('none.png') });
  expect(mixed.stdout).toMatch(/^light\.png +7 /);
});

interface Prediction {
  readonly image: string;
  readonly label: string;
  readonly probability: number;
}

test('recipes: all, and one', async () => {
  const all = jsonDocument((await runGradwire(['recipes', '--json'])).stdout) as unknown as {
    recipes: { name: string }[];
  };
  expect(all.recipes.map(({ name }) => name)).toContain('mnist-cnn');
  const one = jsonDocument((await runGradwire(['recipes', 'mnist-cnn', '--json'])).stdout);
  expect(one).toMatchObject({ recipe: { name: 'mnist-cnn', batchSize: 128 }, parameters: 225_034 });
});

test('doctor: its checks, and a real run compared bit for bit', async () => {
  const { code, stdout, stderr } = await runGradwire(
    ['doctor', '--json', '--backend', 'wasm', '--port', '0'],
    {
      cwd: folder.path,
    },
  );
  expect(code, stderr).toBe(0);
  const { ok, checks } = jsonDocument(stdout) as unknown as { ok: boolean; checks: { name: string }[] };
  expect(ok).toBe(true);
  expect(checks.find(({ name }) => name === 'self-test')).toMatchObject({ status: 'ok' });
});

test('native status: one document, exit code 0 or 8', async () => {
  const { code, stdout } = await runGradwire(['native', 'status', '--json']);
  const document = jsonDocument(stdout);
  expect(document).toMatchObject(code === 0 ? { ok: true } : { ok: false, reason: expect.any(String) });
  expect([0, 8]).toContain(code);
});

test.each([
  { args: ['evaluate', 'nowhere', '--json'], code: 4, error: 'DATA_NOT_FOUND' },
  { args: ['train', '--recipe', './nowhere.js', '--json'], code: 4, error: 'DATA_NOT_FOUND' },
  { args: ['recipes', 'mnist', '--json'], code: 2, error: 'OPTION_INVALID' },
])('$args: an error is a JSON line too', async ({ args, code, error }) => {
  const result = await runGradwire(args, { cwd: folder.path });
  expect(jsonDocument(result.stdout)).toMatchObject({ event: 'error', code: error });
  expect(result.code).toBe(code);
});

/** A command whose output goes where `words` say. */
const redirected = (words: string): { prefix: string[] } => ({
  prefix: ['bash', '-c', `set -o pipefail; "$@" ${words}`, 'bash'],
});

test('output that cannot be written is an error: exit code 9', async ({ skip }) => {
  if (!existsSync('/dev/full')) skip('there is no /dev/full');
  const { code, stderr } = await runGradwire(['recipes', '--json'], redirected('> /dev/full'));
  expect(stderr).toMatch(/^error .*output.*\(ENOSPC.*\n/);
  expect(code).toBe(9);
  const failed = await runGradwire(['recipes', 'mnist', '--json'], redirected('> /dev/full'));
  expect(failed.code).toBe(2);
});

test.skipIf(process.platform === 'win32')('a reader that goes is no error', async () => {
  expect(await runGradwire(['recipes', '--json'], redirected('| exec 0<&-'))).toMatchObject({
    code: 0,
    stderr: '',
  });
});

test('without --json the result is on stdout and the talk on stderr', async () => {
  const { code, stdout, stderr } = await runGradwire(
    ['train', ...recipe, '--backend', 'wasm', '--run-dir', 'runs', '--workers', '1'],
    { cwd: folder.path },
  );
  expect(code, stderr).toBe(0);
  const { weightsSha256 } = await readSummary(join(folder.path, 'runs', 'latest'));
  for (const part of [
    weightsSha256,
    'test accuracy',
    'predicted',
    'gradwire evaluate runs/0002-mnist-logistic',
  ]) {
    expect(stdout).toContain(part);
  }
  expect(stderr).toContain('worker-1 joined (wasm');
  expect(stderr).not.toContain(weightsSha256);
  // Nothing that only a terminal understands.
  // eslint-disable-next-line no-control-regex
  expect(stdout + stderr).not.toMatch(/\u001b/);
});
