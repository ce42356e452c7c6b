import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startGradwire } from '../harness/gradwire.ts';
import { jsonLines } from '../harness/json-output.ts';
import { gone, isRunning } from '../harness/processes.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, stepDone, workerPid } from '../harness/train.ts';

const args = ['train', '--json', '--backend', 'wasm', '--recipe', 'mnist-mlp', '--workers', '2'];

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s on train: files written, workers gone, exit code %i', async (signal, code) => {
  await using folder = await createTemporaryFolder();
  await using run = startGradwire([...args, '--run-dir', folder.path]);
  const pids = [await workerPid(run, 'worker-1'), await workerPid(run, 'worker-2')];
  await stepDone(run, 3);
  run.child.kill(signal);
  expect(await run.exited, run.output.stderr).toBe(code);
  // At once: the command ends after its workers.
  expect(pids.map(isRunning)).toEqual([false, false]);
  const summary = await readSummary(join(folder.path, '0001-mnist-mlp'));
  expect(summary).toMatchObject({ outcome: 'stopped', testAccuracy: null });
  expect(summary.steps).toBeGreaterThanOrEqual(3);
  expect(jsonLines(run.output.stdout).at(-1)).toMatchObject({ event: 'end', outcome: 'stopped', summary });
  const metrics = await readFile(join(folder.path, 'latest', 'metrics.jsonl'), 'utf8');
  expect(jsonLines(metrics).filter(({ type }) => type === 'step').length).toBe(summary.steps);
});

test('SIGINT before any worker is there stops as well', async () => {
  await using folder = await createTemporaryFolder();
  await using run = startGradwire(['coordinator', '--json', '--port', '0', '--run-dir', folder.path]);
  await run.line(({ event }) => event === 'listening');
  run.child.kill('SIGINT');
  expect(await run.exited).toBe(130);
  expect(await readSummary(join(folder.path, 'latest'))).toMatchObject({ outcome: 'stopped', steps: 0 });
});

test('train killed with SIGKILL leaves no worker behind', async () => {
  await using folder = await createTemporaryFolder();
  await using run = startGradwire([...args, '--run-dir', folder.path]);
  const pids = [await workerPid(run, 'worker-1'), await workerPid(run, 'worker-2')];
  await stepDone(run, 3);
  expect(pids.map(isRunning)).toEqual([true, true]);
  run.child.kill('SIGKILL');
  expect(await run.exited).toBe(137);
  for (const pid of pids) await gone(pid);
});
