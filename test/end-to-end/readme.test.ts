import { execFile } from 'node:child_process';
import { readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { mnistFolder } from '../harness/mnist.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';

test('the example of one package alone runs as it stands in the README', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, code] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  expect(code).toContain('createTrainer');
  await using folder = await createTemporaryFolder();
  // The packages are found from here; the data from the working folder.
  const file = fileURLToPath(new URL('readme-example.tmp.mjs', import.meta.url));
  await symlink(mnistFolder, join(folder.path, 'mnist'));
  await writeFile(file, `${code}\nconsole.log(gradient.length, metrics.length);\n`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder.path });
    expect(stdout).toBe('225034 2\n');
  } finally {
    await unlink(file);
  }
});
