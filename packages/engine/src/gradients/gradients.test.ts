import { expect, test } from 'vitest';
import { addL2Gradient, averageGradient } from './average.ts';
import { clipByGlobalNorm } from './clip.ts';
import { firstNonFinite, isFiniteVector } from './finite.ts';
import { takeStatistics } from './statistics.ts';
import type { ParameterLayout } from '../layout.ts';

test('a sum becomes a mean', () => {
  const gradient = Float32Array.of(3, -6, 0);
  averageGradient(gradient, 3);
  expect(gradient).toEqual(Float32Array.of(1, -2, 0));
});

test('L2 acts on kernels only', () => {
  const layout: ParameterLayout = {
    size: 3,
    parameters: [
      { name: 'kernel', shape: [2], offset: 0, size: 2, role: 'kernel' },
      { name: 'bias', shape: [1], offset: 2, size: 1, role: 'bias' },
    ],
  };
  const gradient = Float32Array.of(1, 1, 1);
  addL2Gradient(gradient, Float32Array.of(2, -4, 8), { l2: 0.5, layout });
  expect(gradient).toEqual(Float32Array.of(2, -1, 1));
});

test('clipping scales a long gradient to the largest norm and leaves a short one alone', () => {
  const long = Float32Array.of(3, 4);
  expect(clipByGlobalNorm(long, 2.5)).toBe(5);
  expect(long).toEqual(Float32Array.of(1.5, 2));
  const short = Float32Array.of(3, 4);
  expect(clipByGlobalNorm(short, Infinity)).toBe(5);
  expect(clipByGlobalNorm(short, 5)).toBe(5);
  expect(short).toEqual(Float32Array.of(3, 4));
});

test('a NaN or an infinity is found anywhere, in vectors of any length', () => {
  expect(isFiniteVector(new Float32Array(0))).toBe(true);
  for (let length = 1; length <= 7; length++) {
    const large = new Float32Array(length).fill(3.4e38);
    expect(isFiniteVector(large)).toBe(true);
    expect(firstNonFinite(large)).toBe(-1);
    for (let at = 0; at < length; at++) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        const values = large.with(at, bad);
        expect(isFiniteVector(values), `${bad} at ${at} of ${length}`).toBe(false);
        expect(firstNonFinite(values)).toBe(at);
      }
    }
  }
  expect(isFiniteVector(Float32Array.of(Infinity, -Infinity, Infinity, -Infinity))).toBe(false);
});

test('statistics leave the gradient, and move by their momentum towards the mean over all samples', () => {
  const layout: ParameterLayout = {
    size: 4,
    parameters: [
      { name: 'gamma', shape: [1], offset: 0, size: 1, role: 'bias' },
      { name: 'mean', shape: [2], offset: 1, size: 2, role: 'statistic', momentum: 0.75 },
      { name: 'bias', shape: [1], offset: 3, size: 1, role: 'bias' },
    ],
  };
  const gradient = Float32Array.of(1, 10, -20, 3);
  const setStatistics = takeStatistics({ gradient, samples: 5 }, layout);
  expect(gradient).toEqual(Float32Array.of(1, 0, 0, 3));
  const weights = Float32Array.of(7, 8, 0, 9);
  setStatistics(weights);
  expect(weights).toEqual(Float32Array.of(7, 0.75 * 8 + 0.25 * 2, 0.25 * -4, 9));
});
