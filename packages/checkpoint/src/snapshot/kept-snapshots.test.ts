import { expect, test } from 'vitest';
import { keptSnapshots, type KeptSnapshot } from './kept-snapshots.ts';

const at = (step: number, accuracy?: number, loss = 1): KeptSnapshot =>
  accuracy === undefined ? { step } : { step, evaluation: { accuracy, loss } };
const steps = (...snapshots: KeptSnapshot[]): number[] => keptSnapshots(snapshots).map(({ step }) => step);

test('the last three and the best stay', () => {
  expect(steps(at(1), at(2))).toEqual([1, 2]);
  expect(steps(at(1), at(2), at(3), at(4), at(5))).toEqual([3, 4, 5]);
  expect(steps(at(1, 0.8), at(2, 0.9), at(3), at(4), at(5, 0.7))).toEqual([2, 3, 4, 5]);
  expect(steps(at(1, 0.9, 0.3), at(2, 0.9, 0.2), at(3, 0.9, 0.2), at(4), at(5), at(6))).toEqual([2, 4, 5, 6]);
});
