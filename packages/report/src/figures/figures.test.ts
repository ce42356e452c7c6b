import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketMeans } from './bucket-means.ts';
import { classificationReport } from './classification.ts';

test('scores follow the definitions of scikit-learn, computed by hand', () => {
  // y_true = [0]*5+[1]*3+[2]*2, y_pred = [0,0,0,0,1, 1,1,2, 2,0]
  const report = classificationReport(
    [
      [4, 1, 0],
      [0, 2, 1],
      [1, 0, 1],
    ],
    ['a', 'b', 'c'],
  );
  expect(
    report.classes.map(({ precision, recall, f1, support }) => [precision, recall, f1, support]),
  ).toEqual([
    [0.8, 0.8, expect.closeTo(0.8, 12), 5],
    [2 / 3, 2 / 3, expect.closeTo(2 / 3, 12), 3],
    [0.5, 0.5, 0.5, 2],
  ]);
  expect(report.accuracy).toBe(0.7);
  expect(report.macro.f1).toBeCloseTo(0.655556, 6);
  expect(report.support).toBe(10);
});

test('a class that is never predicted scores 0, one that never occurs is left out of the means', () => {
  const report = classificationReport(
    [
      [3, 0, 0],
      [1, 0, 0],
      [0, 0, 0],
    ],
    ['a', 'b', 'c'],
  );
  expect(report.classes[1]).toEqual({ name: 'b', precision: 0, recall: 0, f1: 0, support: 1 });
  expect(report.macro.recall).toBe(0.5);
  expect(classificationReport([[0]], ['a'])).toMatchObject({ accuracy: 0, macro: { f1: 0 } });
});

test('every share is in [0, 1], and the support is all samples', () => {
  const square = fc.integer({ min: 1, max: 5 }).chain((size) => {
    const row = fc.array(fc.nat({ max: 50 }), { minLength: size, maxLength: size });
    return fc.array(row, { minLength: size, maxLength: size });
  });
  fc.assert(
    fc.property(square, (matrix) => {
      const report = classificationReport(
        matrix,
        matrix.map((_, index) => `${index}`),
      );
      const all = [
        ...report.classes.flatMap(({ precision, recall, f1 }) => [precision, recall, f1]),
        report.accuracy,
      ];
      for (const share of all) expect(share >= 0 && share <= 1 + 1e-12).toBe(true);
      expect(report.support).toBe(matrix.flat().reduce((a, b) => a + b));
    }),
    { seed: 1 },
  );
});

test('a matrix that does not fit is refused', () => {
  expect(() => classificationReport([[1, 2], [3]], ['a', 'b'])).toThrow(
    /2 rows and columns.*got 2 rows of 2, 1/,
  );
  expect(() => classificationReport([], ['a'])).toThrow(RangeError);
});

test('buckets cover the series once', () => {
  expect(bucketMeans([1, 2, 3, 4, 5], 2)).toEqual([
    { middle: 0.5, mean: 1.5 },
    { middle: 3, mean: 4 },
  ]);
  expect(bucketMeans([1, 2], 9).map(({ mean }) => mean)).toEqual([1, 2]);
  expect(bucketMeans([1, Number.NaN], 1)[0]?.mean).toBe(1);
  expect(bucketMeans([], 3)).toEqual([]);
});
