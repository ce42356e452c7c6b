// The cost of a step, for the coordinator and for the simulator around it, grows in proportion to workers and leaves.
import { resize, simulate } from '@gradwire/simulator';
import { expect, test } from 'vitest';

/** Milliseconds of CPU time of a run without faults. */
function timeOf(workers: number): number {
  const start = process.cpuUsage();
  const { broken } = simulate(1, {
    adapt: (scenario) => ({ ...resize(scenario, { workers, steps: 10 }), faults: [] }),
  });
  expect(broken).toBeUndefined();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

test('sixteen times as many workers and leaves take at most three times sixteen times as long', () => {
  // What grows with the square would take 256 times as long. The best of five: the least that other work adds.
  let few = Infinity;
  let many = Infinity;
  for (let round = 0; round < 5; round++) {
    few = Math.min(few, timeOf(100));
    many = Math.min(many, timeOf(1600));
  }
  expect(many / few).toBeLessThan(48);
});
