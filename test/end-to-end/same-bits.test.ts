import { probeBackends } from '@gradwire/backend';
import { expect, test } from 'vitest';
import { train } from '../harness/train.ts';

// The promise: the weights after 150 steps do not depend on who did the work.
// Enough for the last of four to be there before the others have done it all.
const steps = 150;
const recipe = ['--recipe', 'mnist-cnn', '--steps', `${steps}`, '--batch-size', '32'];
const backends = await probeBackends();
const usable = backends.filter(({ ok }) => ok).map(({ name }) => name);

for (const { name, ok, reason } of backends) {
  if (!ok) console.log(`the ${name} backend is not tested here: ${reason}`);
}

test.each(usable)(
  '150 steps give one hash with 1, 2, 3 and 4 %s workers',
  async (backend) => {
    const hashes: string[] = [];
    for (const workers of [1, 2, 3, 4]) {
      const summary = await train([...recipe, '--backend', backend, '--workers', String(workers)]);
      expect(summary).toMatchObject({ steps, samplesSeen: steps * 32, exact: true, backend });
      expect(summary.workers.length).toBe(workers);
      hashes.push(summary.weightsSha256);
    }
    expect(new Set(hashes).size, hashes.join('\n')).toBe(1);
  },
  300_000,
);
