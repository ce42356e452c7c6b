import { expect, test } from 'vitest';
import { closestName } from './closest-name.ts';

const known = ['epochs', 'steps', 'batchSize', 'learningRate'];

test.each([
  ['epoch', 'epochs'],
  ['Steps', 'steps'],
  ['batch-size', 'batchSize'],
  ['lerningrate', 'learningRate'],
  ['zzzzzz', undefined],
  ['', undefined],
])('%j means %j', (name, expected) => {
  expect(closestName(name, known)).toBe(expected);
});
