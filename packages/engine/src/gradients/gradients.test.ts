import { expect, test } from 'vitest';
import { runsOf } from '../layout.ts';
import { plainVectors } from '../vectors/plain-vectors.ts';
import { averageGradient } from './average.ts';
import { firstNonFinite } from './finite.ts';
import { takeStatistics } from './statistics.ts';
import type { ParameterLayout } from '../layout.ts';
import type { AverageOptions } from './average.ts';

const layout: ParameterLayout = {
  size: 3,
  parameters: [
    { name: 'kernel', shape: [2], offset: 0, size: 2, role: 'kernel' },
    { name: 'bias', shape: [1], offset: 2, size: 1, role: 'bias' },
  ],
};
const plain: AverageOptions = { samples: 1, layout };
const weights = Float32Array.of(2, -4, 8);

test('a sum becomes a mean', () => {
  const gradient = Float32Array.of(3, -6, 0);
  expect(averageGradient(gradient, weights, { ...plain, samples: 3 })).toBe(Math.sqrt(5));
  expect(gradient).toEqual(Float32Array.of(1, -2, 0));
});

test('L2 acts on the mean, and on kernels only', () => {
  const gradient = Float32Array.of(2, 2, 2);
  averageGradient(gradient, weights, { ...plain, samples: 2, l2: 0.5 });
  expect(gradient).toEqual(Float32Array.of(2, -1, 1));
});

test('clipping scales a long gradient to the largest norm and leaves a short one alone', () => {
  const long = Float32Array.of(3, 4, 0);
  expect(averageGradient(long, weights, { ...plain, clipNorm: 2.5 })).toBe(5);
  expect(long).toEqual(Float32Array.of(1.5, 2, 0));
  const short = Float32Array.of(3, 4, 0);
  expect(averageGradient(short, weights, { ...plain, clipNorm: 5 })).toBe(5);
  expect(short).toEqual(Float32Array.of(3, 4, 0));
});

test('an infinite gradient is not clipped: where it is infinite can still be told', () => {
  const gradient = Float32Array.of(3, Infinity, 0);
  expect(averageGradient(gradient, weights, { ...plain, clipNorm: 1 })).toBe(Infinity);
  expect(firstNonFinite(gradient)).toBe(1);
});

test('a NaN or an infinity is found anywhere, in vectors of any length', () => {
  const { isFinite } = plainVectors;
  expect(isFinite(new Float32Array(0))).toBe(true);
  for (let length = 1; length <= 7; length++) {
    const large = new Float32Array(length).fill(3.4e38);
    expect(isFinite(large)).toBe(true);
    expect(firstNonFinite(large)).toBe(-1);
    for (let at = 0; at < length; at++) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        const values = large.with(at, bad);
        expect(isFinite(values), `${bad} at ${at} of ${length}`).toBe(false);
        expect(firstNonFinite(values)).toBe(at);
      }
    }
  }
  expect(isFinite(Float32Array.of(Infinity, -Infinity, Infinity, -Infinity))).toBe(false);
});

test('runs join neighbours of one role, and leave out what is empty', () => {
  const parameters = (
    [
      ['kernel', 3],
      ['kernel', 2],
      ['bias', 0],
      ['kernel', 4],
      ['bias', 1],
      ['bias', 5],
    ] as const
  ).map(([role, size], i, all) => {
    const offset = all.slice(0, i).reduce((sum, [, before]) => sum + before, 0);
    return { name: `p${i}`, shape: [size], offset, size, role };
  });
  expect(runsOf({ parameters, size: 15 })).toEqual([
    { role: 'kernel', start: 0, end: 9 },
    { role: 'bias', start: 9, end: 15 },
  ]);
});

test('statistics leave the gradient, and move by their momentum towards the mean over all samples', () => {
  const withStatistics: ParameterLayout = {
    size: 4,
    parameters: [
      { name: 'gamma', shape: [1], offset: 0, size: 1, role: 'bias' },
      { name: 'mean', shape: [2], offset: 1, size: 2, role: 'statistic', momentum: 0.75 },
      { name: 'bias', shape: [1], offset: 3, size: 1, role: 'bias' },
    ],
  };
  const gradient = Float32Array.of(1, 10, -20, 3);
  const setStatistics = takeStatistics({ gradient, samples: 5 }, withStatistics);
  expect(gradient).toEqual(Float32Array.of(1, 0, 0, 3));
  const moved = Float32Array.of(7, 8, 0, 9);
  setStatistics(moved);
  expect(moved).toEqual(Float32Array.of(7, 0.75 * 8 + 0.25 * 2, 0.25 * -4, 9));
});
