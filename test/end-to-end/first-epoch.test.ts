import { probeBackends } from '@gradwire/backend';
import { expect, test } from 'vitest';
import { train } from '../harness/train.ts';

const native = (await probeBackends()).find(({ name }) => name === 'native');
const backend = native?.ok ? 'native' : 'wasm';
if (backend === 'wasm') console.log(`the epoch is trained on wasm, native does not load here: ${native?.reason}`);

// The article's network and settings, on all of MNIST. More epochs and seeds: docs/results.md.
test(
  'one epoch of mnist-cnn reaches 98 % on the test set',
  async () => {
    const summary = await train(['--recipe', 'mnist-cnn', '--epochs', '1', '--backend', backend, '--workers', '2']);
    expect(summary).toMatchObject({ outcome: 'finished', epochs: 1, samplesSeen: 60_000, steps: 469, exact: true });
    expect(summary.testAccuracy).toBeGreaterThanOrEqual(0.98);
    expect(summary.testLoss).toBeLessThan(0.08);
    const right = summary.confusion?.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
    expect((right ?? 0) / 10_000).toBe(summary.testAccuracy);
  },
  600_000,
);
