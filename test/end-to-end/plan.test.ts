import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findRecipe } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { runGradwire, startGradwire } from '../harness/gradwire.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';

test('the recommended command can be typed as it is, also with spaces in paths', async () => {
  await using folder = await createTemporaryFolder();
  await mkdir(join(folder.path, 'my dir'));
  await writeFile(join(folder.path, 'my dir', 're cipe.json'), JSON.stringify(findRecipe('mnist-logistic')));
  const args = ['plan', '--json', '--recipe', 'my dir/re cipe.json'];
  const { code, stdout, stderr } = await runGradwire(args, { cwd: folder.path });
  expect(code, stderr).toBe(0);
  const { command } = JSON.parse(stdout) as { command: string };
  expect(command).toContain("gradwire train --recipe 'my dir/re cipe.json'");
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s while it measures: nothing is recommended, exit code %i', async (signal, code) => {
  await using run = startGradwire(['plan', '--recipe', 'mnist-logistic']);
  await run.said(/^data: /m);
  run.child.kill(signal);
  expect(await run.exited).toBe(code);
  expect(run.output.stdout).toBe('');
});
