import { expect, test } from 'vitest';
import { probeBackends } from '@gradwire/backend';
import type { GradwireProcess } from '../harness/gradwire.ts';
import { startGradwire } from '../harness/gradwire.ts';
import { train } from '../harness/train.ts';

// The promise: the weights after 60 steps do not depend on who did the work.
const recipe = ['--recipe', 'mnist-cnn', '--steps', '60', '--batch-size', '64'];
const backends = await probeBackends();

for (const { name, ok, reason } of backends) {
  if (!ok) console.log(`the ${name} backend is not tested here: ${reason}`);

  test.runIf(ok)(
    `60 steps give one hash with 1, 2, 3 and 4 ${name} workers`,
    async () => {
      const hashes: string[] = [];
      for (const workers of ['1', '2', '3', '4']) {
        const summary = await train([...recipe, '--backend', name, '--workers', workers]);
        expect(summary).toMatchObject({ steps: 60, samplesSeen: 60 * 64, exact: true });
        hashes.push(summary.weightsSha256);
      }
      expect(new Set(hashes).size, hashes.join('\n')).toBe(1);
    },
    600_000,
  );
}
