import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGradwire, startGradwire } from '../harness/gradwire.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, stepDone, train } from '../harness/train.ts';

const args = ['--backend', 'wasm', '--recipe', 'mnist-mlp', '--epochs', '1'];
let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

async function auditProblems(run: string): Promise<unknown> {
  const { code, stdout, stderr } = await runGradwire(['audit', run, '--json']);
  const { problems } = JSON.parse(stdout) as { readonly problems: readonly string[] };
  expect(code, stderr).toBe(problems.length > 0 ? 12 : 0);
  return problems;
}

test('a run that was stopped is reproduced as far as it came', { timeout: 120_000 }, async () => {
  const runDir = folder.path;
  await using run = startGradwire(['train', '--json', ...args, '--run-dir', runDir]);
  await stepDone(run, 3);
  run.child.kill('SIGINT');
  expect(await run.exited, run.output.stderr).toBe(130);
  const stopped = join(runDir, '0001-mnist-mlp');
  const { outcome, steps } = await readSummary(stopped);
  expect(outcome).toBe('stopped');
  expect(await auditProblems(stopped)).toEqual([]);
  const again = await runGradwire(['reproduce', stopped, '--run-dir', runDir]);
  expect(again.code, again.stderr).toBe(0);
  expect(again.stdout).toContain('0002-mnist-mlp reproduces ');
  expect(again.stdout).toContain(`no difference in ${steps} steps: the same weights after each of them`);
  expect(again.stdout).toContain(`the one did not finish and ends after ${steps} steps`);

  const resumed = await runGradwire(['train', '--resume', stopped, '--backend', 'wasm', '--workers', '2']);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(await auditProblems(stopped)).toEqual([]);
});

test('asynchronous runs are refused: other weights would prove nothing', { timeout: 120_000 }, async () => {
  const runDir = join(folder.path, 'asynchronous');
  await train([...args, '--strategy', 'asynchronous', '--steps', '2'], { runDir });
  const run = join(runDir, '0001-mnist-mlp');
  for (const [command, ...others] of [
    ['replay', '--step', '1'],
    ['reproduce', '--run-dir', runDir],
    ['diff', run],
  ] as const) {
    const { code, stdout, stderr } = await runGradwire([command, run, ...others]);
    expect([code, stdout], stderr).toEqual([2, '']);
    const action = command === 'diff' ? 'compare' : command;
    expect(stderr).toContain(
      `cannot ${action}: 0001-mnist-mlp was trained asynchronously: its weights depend on the order of arrival`,
    );
  }
  // Nothing was trained to find that out.
  expect((await readdir(runDir)).sort()).toEqual(['0001-mnist-mlp', 'latest']);
});
