import { expect, test } from 'vitest';
import { learningRateAt } from './learning-rate.ts';
import type { ScheduleSpec } from '../specs.ts';

function ratesOf(schedule: ScheduleSpec, totalSteps: number, stepsPerEpoch = 10): number[] {
  return Array.from({ length: totalSteps }, (_, step) =>
    learningRateAt(schedule, { step, totalSteps, stepsPerEpoch }),
  );
}

test('constant', () => {
  expect(ratesOf({ type: 'constant', learningRate: 0.3 }, 3)).toEqual([0.3, 0.3, 0.3]);
});

test('step: multiplied every few epochs', () => {
  const rates = ratesOf({ type: 'step', learningRate: 1, factor: 0.5, everyEpochs: 2 }, 10, 2);
  expect(rates).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);
});

test('cosine: starts at the rate, is half-way in the middle, falls towards the final rate', () => {
  const rates = ratesOf({ type: 'cosine', learningRate: 1, finalLearningRate: 0.2 }, 1000);
  expect(rates[0]).toBe(1);
  expect(rates[500]).toBeCloseTo(0.6, 12);
  expect(rates[250]).toBeCloseTo(0.6 + 0.4 * Math.SQRT1_2, 12);
  expect(rates[999]).toBeGreaterThan(0.2);
  expect(rates[999]).toBeLessThan(0.20001);
  expect(rates).toEqual(rates.toSorted((a, b) => b - a));
});

// The formulas of torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10, pct_start=0.3): phases end at steps 2 and 9.
test('one-cycle: as in PyTorch', () => {
  const rates = ratesOf({ type: 'one-cycle', learningRate: 1 }, 10);
  expect(rates[0]).toBeCloseTo(1 / 25, 12);
  expect(rates[1]).toBeCloseTo((1 + 1 / 25) / 2, 12);
  expect(rates[2]).toBeCloseTo(1, 12);
  expect(rates[5]).toBeCloseTo(4e-6 + ((1 - 4e-6) * (1 + Math.cos((Math.PI * 3) / 7))) / 2, 12);
  expect(rates[9]).toBeCloseTo(4e-6, 12);
});

test('one-cycle: even the shortest runs have positive rates up to the peak', () => {
  for (const totalSteps of [1, 2, 3]) {
    for (const rate of ratesOf({ type: 'one-cycle', learningRate: 1 }, totalSteps)) {
      expect(rate).toBeGreaterThan(0);
      expect(rate).toBeLessThanOrEqual(1);
    }
  }
});

test('warm-up: rises linearly and never wastes an update on a rate of 0', () => {
  const rates = ratesOf({ type: 'constant', learningRate: 2, warmupSteps: 4 }, 6);
  expect(rates).toEqual([0.5, 1, 1.5, 2, 2, 2]);
});
