import { probeBackends } from '@gradwire/backend';
import { expect, test } from 'vitest';
import { train } from '../harness/train.ts';

const native = (await probeBackends()).find(({ name }) => name === 'native');
const backend = native?.ok ? 'native' : 'wasm';
if (backend === 'wasm') console.log(`trained on wasm, native does not load here: ${native?.reason}`);

// The article's network and settings, on all of MNIST. More epochs and seeds: docs/results.md.
const args = `--recipe mnist-cnn --epochs 1 --workers 2 --backend ${backend}`.split(' ');

test('one epoch of mnist-cnn reaches 98 % on the test set', async () => {
  const summary = await train(args);
  const expected = { outcome: 'finished', epochs: 1, samplesSeen: 60_000, steps: 469, exact: true };
  expect(summary).toMatchObject(expected);
  expect(summary.testAccuracy).toBeGreaterThanOrEqual(0.98);
  expect(summary.testLoss).toBeLessThan(0.08);
  const right = summary.confusion?.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  expect((right ?? 0) / 10_000).toBe(summary.testAccuracy);
}, 600_000);
