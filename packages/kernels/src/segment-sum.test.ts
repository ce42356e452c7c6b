import { tensor1d, tensor2d, tidy, unsortedSegmentSum } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { startKernels } from './test-support.ts';

beforeAll(startKernels);

test('rows with one number are added, others dropped, absent ones zero', () => {
  const sums = tidy(() => {
    const x = tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
    return unsortedSegmentSum(x, tensor1d([2, 0, 2, 3], 'int32'), 3).arraySync();
  });
  expect(sums).toEqual([
    [3, 4],
    [0, 0],
    [6, 8],
  ]);
});
