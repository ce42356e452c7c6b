import { expect, test } from 'vitest';
import { runSeeds } from '../batch/run-seeds.ts';

test.each([
  ['2x1', 1_000, { workers: 2, steps: 1 }],
  ['2x2', 1_000, { workers: 2, steps: 2 }],
  ['5x5', 300, { workers: 5, steps: 5 }],
])('no promise is broken in runs of %s', (_, count, size) => {
  const { broken, faults } = runSeeds({ first: 0, count, repeatEvery: Infinity, size });
  expect(broken).toEqual([]);
  expect(faults.drain).toBeGreaterThan(0);
});

function countLies(workers: number): number {
  const size = { workers, steps: 5 };
  const { faults } = runSeeds({ first: 0, count: 300, repeatEvery: Infinity, size });
  return Object.entries(faults).reduce((sum, [kind, n]) => sum + (kind.startsWith('lie-') ? n : 0), 0);
}

test('somebody lies only where the others are more than half', () => {
  expect(countLies(2)).toBe(0);
  expect(countLies(3)).toBeGreaterThan(0);
});
