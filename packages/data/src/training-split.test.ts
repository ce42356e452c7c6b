import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluationBlocks, trainingIndices } from './index.ts';

test('every sample is in exactly one part, both ascending', () => {
  const shares = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(fc.nat(500), shares, fc.nat(1000), (count, validationShare, seed) => {
      const { training, validation } = trainingIndices(count, { validationShare, seed });
      expect(validation).toHaveLength(Math.round(count * validationShare));
      expect(training).toEqual(training.slice().sort());
      expect(validation).toEqual(validation.slice().sort());
      expect([...training, ...validation].sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
    }),
    { seed: 5 },
  );
});

test('refuses a seed out of range, also where nothing is drawn', () => {
  expect(() => trainingIndices(10, { validationShare: 0, seed: -1 })).toThrow(RangeError);
});

test('the choice depends on the seed alone', () => {
  const options = { validationShare: 0.2, seed: 1 };
  expect(trainingIndices(1000, options)).toEqual(trainingIndices(1000, options));
  expect(trainingIndices(1000, options)).not.toEqual(trainingIndices(1000, { ...options, seed: 2 }));
});

test.each([-0.1, 1, Number.NaN])('refuses the share %d', (validationShare) => {
  expect(() => trainingIndices(10, { validationShare, seed: 1 })).toThrow(/validationShare must be/);
});

test('evaluation blocks', () => {
  expect(evaluationBlocks(10_000)).toEqual(Array(20).fill(500));
  expect(evaluationBlocks(1201, 500)).toEqual([500, 500, 201]);
  expect(evaluationBlocks(0)).toEqual([]);
  expect(() => evaluationBlocks(10, 0)).toThrow(RangeError);
});
