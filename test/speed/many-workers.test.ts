// The cost of a step, for the coordinator and for the simulator around it, grows in proportion to workers and leaves.
import { resize, simulate } from '@gradwire/simulator';
import { expect, test } from 'vitest';

/** Milliseconds of a run without faults. */
function timeOf(workers: number): number {
  const startMs = performance.now();
  const { broken } = simulate(1, {
    adapt: (scenario) => ({ ...resize(scenario, { workers, steps: 10 }), faults: [] }),
  });
  expect(broken).toBeUndefined();
  return performance.now() - startMs;
}

test('eight times as many workers and leaves take at most sixteen times as long', () => {
  // What grows with the square would take 64 times as long. The best of three: the least that other work adds.
  let few = Infinity;
  let many = Infinity;
  for (let round = 0; round < 3; round++) {
    few = Math.min(few, timeOf(100));
    many = Math.min(many, timeOf(800));
  }
  expect(many / few).toBeLessThan(16);
});
