import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGradwire, startGradwire } from '../harness/gradwire.ts';
import { jsonLines } from '../harness/json-output.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary } from '../harness/train.ts';

/** Loaded into every process: this machine has no native backend. */
const withoutNative = `
  const Module = require('node:module');
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (request, ...rest) {
    if (!request.startsWith('@tensorflow/tfjs-node')) return resolve.call(this, request, ...rest);
    throw Object.assign(new Error('not installed'), { code: 'MODULE_NOT_FOUND' });
  };`;

test('no worker can start: the first cause comes with its worker and its last lines, exit code 7', async () => {
  await using folder = await createTemporaryFolder();
  const preload = join(folder.path, 'without-native.cjs');
  await writeFile(preload, withoutNative);
  const options = '--json --backend native --workers 2 --steps 5'.split(' ');
  const args = ['train', ...options, '--run-dir', folder.path];
  const { code, stdout, stderr } = await runGradwire(args, { env: { NODE_OPTIONS: `--require ${preload}` } });
  expect(code, stderr).toBe(7);
  const [failed = '', worker] = /^failed first on (worker-\d): .*$/m.exec(stderr) ?? [];
  expect(failed).toContain('exited with code 8: the native backend does not load');
  expect(failed).toContain('@tensorflow/tfjs-node is not installed');
  expect(stderr).toMatch(new RegExp(`  last lines of ${worker}:\\n(    .*\\n)*.*to do: `));
  const summary = await readSummary(join(folder.path, 'latest'));
  expect(summary).toMatchObject({ outcome: 'failed', steps: 0, failure: { code: 'WORKER_FAILED' } });
  const died = jsonLines(stdout).filter(({ event }) => event === 'died');
  expect(died.map(({ willRestart }) => willRestart)).toEqual([false, false]);
  const { failure } = jsonLines(stdout).at(-1) as unknown as { failure: { worker: string } };
  expect([failure.worker, worker]).toEqual([died[0]?.['name'], died[0]?.['name']]);
});

test('a run that goes on where other machines reach it waits for them, although its own workers failed', async () => {
  await using folder = await createTemporaryFolder();
  const preload = join(folder.path, 'without-native.cjs');
  await writeFile(preload, withoutNative);
  const token = 'token-of-sixteen-letters';
  const recipe = ['--recipe', 'mnist-logistic', '--steps', '5', '--run-dir', folder.path];
  const place = ['--host', '0.0.0.0', '--port', '0', '--token', token];
  await using first = startGradwire(['coordinator', '--json', ...recipe, ...place]);
  await first.line(({ event }) => event === 'listening');
  first.child.kill('SIGKILL');
  await first.exited;
  const resume = ['train', '--json', '--resume', join(folder.path, 'latest'), '--workers', '1'];
  await using run = startGradwire([...resume, '--backend', 'native'], {
    env: { NODE_OPTIONS: `--require ${preload}` },
  });
  const { port } = await run.line(({ event }) => event === 'listening');
  await run.line(({ event, willRestart }) => event === 'died' && willRestart === false);
  const args = ['worker', `ws://127.0.0.1:${port}`, '--backend', 'wasm', '--threads', '1'];
  await using worker = startGradwire(args, { env: { GRADWIRE_TOKEN: token } });
  expect(await run.exited, run.output.stderr).toBe(0);
  expect(await worker.exited, worker.output.stderr).toBe(0);
});

test('a data folder that is damaged: the file, what was expected and found, exit code 4, no run folder', async () => {
  await using folder = await createTemporaryFolder();
  const data = join(folder.path, 'train-images-idx3-ubyte');
  await writeFile(data, 'not an IDX file');
  const args = ['train', '--json', '--data-dir', folder.path, '--run-dir', join(folder.path, 'runs')];
  const { code, stdout, stderr } = await runGradwire(args);
  expect(code, stderr).toBe(4);
  expect(jsonLines(stdout)).toMatchObject([
    { event: 'error', code: expect.stringMatching(/^DATA_/), message: expect.stringContaining(folder.path) },
  ]);
  expect(stderr).not.toContain('run directory');
});

test('a run folder that cannot be written: exit code 9', async () => {
  await using folder = await createTemporaryFolder();
  const file = join(folder.path, 'a-file');
  await writeFile(file, '');
  const { code, stderr } = await runGradwire(['train', '--steps', '1', '--run-dir', join(file, 'runs')]);
  expect(stderr).toContain('--run-dir');
  expect(code, stderr).toBe(9);
});
