import { probeBackends } from '@gradwire/backend';
import { expect, test } from 'vitest';
import { train } from '../harness/train.ts';

// The promise: the weights after 60 steps do not depend on who did the work.
const recipe = ['--recipe', 'mnist-cnn', '--steps', '60', '--batch-size', '32'];
const backends = await probeBackends();
const usable = backends.filter(({ ok }) => ok).map(({ name }) => name);

for (const { name, ok, reason } of backends) {
  if (!ok) console.log(`the ${name} backend is not tested here: ${reason}`);
}

test.each(usable)(
  '60 steps give one hash with 1, 2, 3 and 4 %s workers',
  async (backend) => {
    const hashes: string[] = [];
    for (const workers of [1, 2, 3, 4]) {
      const summary = await train([...recipe, '--backend', backend, '--workers', String(workers)]);
      expect(summary).toMatchObject({ steps: 60, samplesSeen: 60 * 32, exact: true, backend });
      expect(summary.workers.length).toBe(workers);
      hashes.push(summary.weightsSha256);
    }
    expect(new Set(hashes).size, hashes.join('\n')).toBe(1);
  },
  300_000,
);
