import { expect, test } from 'vitest';
import { train } from '../harness/train.ts';

// The article's network and settings, on all of MNIST. More epochs and seeds: docs/results.md. On wasm, whose bits and
// so whose accuracy are the same on every machine.
const args = '--recipe mnist-cnn --epochs 1 --workers 2 --backend wasm'.split(' ');

test('one epoch of mnist-cnn reaches 98 % on the test set', async () => {
  const summary = await train(args);
  const expected = { outcome: 'finished', epochs: 1, samplesSeen: 60_000, steps: 469, exact: true };
  expect(summary).toMatchObject(expected);
  expect(summary.testAccuracy).toBeGreaterThanOrEqual(0.98);
  expect(summary.testLoss).toBeLessThan(0.08);
  const right = summary.confusion?.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  expect((right ?? 0) / 10_000).toBe(summary.testAccuracy);
}, 600_000);
