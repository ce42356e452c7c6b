import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { countSteps } from './count-steps.ts';

test('the last step of an epoch takes what is left', () => {
  const recipe = { batchSize: 128, epochs: 10 };
  expect(countSteps(recipe, 60_000)).toEqual({
    batchSize: 128,
    stepsPerEpoch: 469,
    totalSteps: 4690,
    local: { stepsPerEpoch: 469, totalSteps: 4690 },
  });
  const strategy = { type: 'diloco', localSteps: 32 } as const;
  expect(countSteps({ ...recipe, strategy }, 60_000)).toEqual({
    batchSize: 4096,
    stepsPerEpoch: 15,
    totalSteps: 150,
    local: { stepsPerEpoch: 469, totalSteps: 4690 },
  });
  // Two epochs, and three whole steps of the third.
  expect(countSteps({ ...recipe, steps: 33, strategy }, 60_000).local.totalSteps).toBe(2 * 469 + 3 * 32);
});

test('local steps are those that the steps make', () => {
  const small = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(small, small, small, small, fc.integer({ min: 1, max: 300 }), (...numbers) => {
      const [batchSize, localSteps, epochs, steps, count] = numbers;
      const strategy = { type: 'local-sgd', localSteps } as const;
      const counts = countSteps({ batchSize, epochs, steps, strategy }, count);
      let made = 0;
      for (let step = 0; step < counts.totalSteps; step += 1) {
        const first = (step % counts.stepsPerEpoch) * localSteps;
        made += Math.min(first + localSteps, counts.local.stepsPerEpoch) - first;
      }
      expect(counts.local.totalSteps).toBe(made);
    }),
    { seed: 1 },
  );
});
