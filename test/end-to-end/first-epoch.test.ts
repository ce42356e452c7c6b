import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGradwire } from '../harness/gradwire.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, train } from '../harness/train.ts';

// On all of MNIST, and on wasm, whose bits and so whose accuracy are the same on every machine. More epochs and seeds:
// docs/results.md.
const args = '--workers 2 --backend wasm'.split(' ');
const oneEpoch = { outcome: 'finished', epochs: 1, samplesSeen: 60_000, exact: true };

test('train without a recipe reaches 99 % in one epoch, and then names what is next', async () => {
  await using folder = await createTemporaryFolder();
  const { code, stdout, stderr } = await runGradwire(['train', ...args, '--run-dir', folder.path]);
  expect(code, stderr).toBe(0);
  const summary = await readSummary(join(folder.path, 'latest'));
  expect(summary).toMatchObject({ ...oneEpoch, recipe: 'mnist-fast' });
  expect(summary.testAccuracy).toBeGreaterThanOrEqual(0.99);
  expect(stdout).toMatch(/gradwire train --recipe mnist-cnn$/m);
}, 600_000);

// The article's network and settings.
test('one epoch of mnist-cnn reaches 98 % on the test set', async () => {
  const summary = await train(['--recipe', 'mnist-cnn', '--epochs', '1', ...args]);
  expect(summary).toMatchObject({ ...oneEpoch, steps: 469 });
  expect(summary.testAccuracy).toBeGreaterThanOrEqual(0.98);
  expect(summary.testLoss).toBeLessThan(0.08);
  const right = summary.confusion?.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  expect((right ?? 0) / 10_000).toBe(summary.testAccuracy);
}, 600_000);
