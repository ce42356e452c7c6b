import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGradwire, startGradwire } from '../harness/gradwire.ts';
import { jsonDocument } from '../harness/json-output.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { train } from '../harness/train.ts';

interface Setting {
  readonly setting: string;
  readonly value: unknown;
  readonly origin: string;
}

/** What `--print-config --json` shows. */
function byName(stdout: string): Record<string, [unknown, string]> {
  const settings = jsonDocument(stdout)['settings'] as Setting[];
  return Object.fromEntries(settings.map(({ setting, value, origin }) => [setting, [value, origin]]));
}

test('--print-config says where each setting comes from, and nothing is started', async () => {
  await using folder = await createTemporaryFolder();
  await writeFile(
    join(folder.path, 'gradwire.config.json'),
    JSON.stringify({ workers: 3, seed: 5, images: 'x' }),
  );
  const args = ['train', '--print-config', '--batch-size', '64', '--seed', '9', '--run-dir', 'out'];
  const options = {
    cwd: folder.path,
    env: { GRADWIRE_BACKEND: 'wasm', GRADWIRE_TOKEN: 'hidden-token', GRADWIRE_WORKERS: undefined },
  };
  const { code, stdout, stderr } = await runGradwire([...args, '--json'], options);
  expect(code, stderr).toBe(0);
  expect(byName(stdout)).toMatchObject({
    batchSize: [64, 'flag'],
    seed: [9, 'flag'],
    runDir: [join(folder.path, 'out'), 'flag'],
    backend: ['wasm', 'environment'],
    token: ['(secret)', 'environment'],
    workers: [3, 'file'],
    recipe: ['mnist-fast', 'default'],
    host: ['127.0.0.1', 'default'],
    epochs: [1, 'recipe'],
    shards: [4, 'recipe'],
  });
  expect(stdout + stderr).not.toContain('hidden-token');

  const asText = await runGradwire(args, options);
  expect(asText.stdout).toMatch(/^workers +3 +file$/m);
  expect(asText.stdout).toMatch(/^backend +wasm +environment$/m);
});

test.each([
  { file: { wrokers: 3 }, found: 'unknown setting "wrokers"', hint: 'Did you mean "workers"?' },
  { file: { workers: 'many' }, found: 'workers is "many"', hint: 'Expected a whole number' },
  { file: { backend: 'gpu' }, found: 'backend is "gpu"', hint: 'Allowed are auto, native, wasm' },
  { file: { workers: { toString: 3 } }, found: 'workers is {"toString":3}', hint: 'Expected a text' },
  { file: [1], found: 'expected a JSON object of settings', hint: 'workers' },
])('a settings file with $file is refused with its name and code 2', async ({ file, found, hint }) => {
  await using folder = await createTemporaryFolder();
  const path = join(folder.path, 'gradwire.config.json');
  await writeFile(path, JSON.stringify(file));
  const { code, stdout, stderr } = await runGradwire(['train', '--steps', '1'], { cwd: folder.path });
  expect(stderr).toContain(path);
  expect(stderr).toContain(found);
  expect(stderr).toContain(hint);
  expect(code).toBe(2);
  expect(stdout).toBe('');
});

test('--config names another settings file; one that is not there is an error', async () => {
  await using folder = await createTemporaryFolder();
  await writeFile(join(folder.path, 'mine.json'), '{ "workers": 7 }');
  const run = (file: string): ReturnType<typeof runGradwire> =>
    runGradwire(['train', '--config', file, '--print-config', '--json'], { cwd: folder.path });
  const { settings } = jsonDocument((await run('mine.json')).stdout) as unknown as { settings: Setting[] };
  expect(settings).toContainEqual({ setting: 'workers', value: 7, origin: 'file' });
  expect(await run('absent.json')).toMatchObject({ code: 2, stderr: expect.stringContaining('absent.json') });
});

test("a settings file's recipe is no demand of the workers that train starts", async () => {
  await using folder = await createTemporaryFolder();
  await writeFile(join(folder.path, 'gradwire.config.json'), '{ "recipe": "mnist-cnn", "workers": 2 }');
  const args = ['--recipe', 'mnist-logistic', '--steps', '3', '--backend', 'wasm'];
  expect(await train(args, { cwd: folder.path })).toMatchObject({ outcome: 'finished', steps: 3 });
});

test('a run goes on as it is, whatever the environment and a settings file say; a flag asks for something', async () => {
  await using folder = await createTemporaryFolder();
  const runs = ['--run-dir', join(folder.path, 'runs')];
  const recipe = [
    '--recipe',
    'mnist-logistic',
    '--steps',
    '30',
    '--snapshot-every',
    '7',
    '--host',
    '0.0.0.0',
  ];
  await using first = startGradwire(['coordinator', '--json', ...runs, ...recipe, '--port', '0']);
  const { host, port } = await first.line(({ event }) => event === 'listening');
  first.child.kill('SIGKILL');
  await first.exited;
  await writeFile(
    join(folder.path, 'gradwire.config.json'),
    JSON.stringify({ recipe: 'mnist-fast', steps: 50, port: 1, lossy: true, codecFeedback: 8 }),
  );
  const options = { cwd: folder.path, env: { GRADWIRE_SEED: '5', GRADWIRE_STRATEGY: 'diloco' } };
  const resume = ['coordinator', '--json', '--resume', join(folder.path, 'runs', 'latest')];
  const shown = await runGradwire([...resume, '--print-config', '--verify', '1%'], options);
  expect(byName(shown.stdout)).toMatchObject({
    recipe: ['mnist-logistic', 'run'],
    steps: [30, 'run'],
    seed: [1, 'run'],
    strategy: ['synchronous', 'run'],
    codecFeedback: [null, 'run'],
    snapshotEvery: [7, 'run'],
    host: [host, 'run'],
    port: [port, 'run'],
    token: ['(secret)', 'run'],
    verify: [0.01, 'flag'],
    dataDir: [null, 'default'],
  });

  await using again = startGradwire(resume, options);
  expect(await again.line(({ event }) => event === 'listening')).toMatchObject({ host, port });
  expect(again.output.stderr).toContain('as before: --snapshot-every 7');
  again.child.kill('SIGKILL');
  await again.exited;
  await using weak = startGradwire([...resume, '--token', 'short-one'], options);
  await weak.said(/other machines can reach 0\.0\.0\.0: expected a token of at least 16/);
  const other = await runGradwire([...resume, '--steps', '40'], options);
  expect(other).toMatchObject({ code: 3, stderr: expect.stringContaining('another recipe: steps is 30 in') });
});
