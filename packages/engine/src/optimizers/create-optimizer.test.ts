import { describe, expect, test } from 'vitest';
import { createOptimizer } from './create-optimizer.ts';
import type { ParameterLayout } from '../layout.ts';
import type { OptimizerSpec } from '../specs.ts';

const layout: ParameterLayout = {
  size: 2,
  parameters: [
    { name: 'kernel', shape: [1], offset: 0, size: 1, role: 'kernel' },
    { name: 'bias', shape: [1], offset: 1, size: 1, role: 'bias' },
  ],
};

/** Weights from (1, 1) with the gradients 0.5 and then -1 for both. */
function twoUpdates(spec: OptimizerSpec, learningRate: number): number[] {
  const optimizer = createOptimizer(spec, layout);
  const weights = Float32Array.of(1, 1);
  for (const g of [0.5, -1]) optimizer.step({ weights, gradient: Float32Array.of(g, g) }, learningRate);
  return [...weights];
}

function expectNear(found: number[], expected: number[]): void {
  for (const [i, value] of expected.entries()) expect(Math.abs((found[i] ?? NaN) - value)).toBeLessThan(1e-7);
}

test('SGD: 1 - 0.1 * 0.5 + 0.1 * 1', () => {
  expectNear(twoUpdates({ type: 'sgd' }, 0.1), [1.05, 1.05]);
});

test('momentum 0.9: velocities 0.5 and -0.55', () => {
  expectNear(twoUpdates({ type: 'sgd', momentum: 0.9 }, 0.1), [1.005, 1.005]);
});

test('Nesterov 0.9: directions 0.5 + 0.45 and -1 - 0.495', () => {
  expectNear(twoUpdates({ type: 'sgd', momentum: 0.9, nesterov: true }, 0.1), [1.0545, 1.0545]);
});

// By hand: m = 0.05, v = 0.00025, so the first direction is 0.5 / 0.5 = 1;
// then m = -0.055 / 0.19 = -0.2894737, v = 0.00124975 / 0.001999 = 0.6251876, direction -0.3661033.
test('Adam: directions 1 and -0.3661033', () => {
  expectNear(twoUpdates({ type: 'adam' }, 0.01), [0.993661033, 0.993661033]);
});

// The same directions, and 0.01 * 0.1 of the kernel less each time: 1 - 0.011 = 0.989, then 0.989 + 0.003661033 - 0.000989.
test('AdamW decays kernels, scaled by the learning rate, and no biases', () => {
  expectNear(twoUpdates({ type: 'adamw', weightDecay: 0.1 }, 0.01), [0.991672033, 0.993661033]);
});

describe('every optimizer finds the minimum of a stretched bowl', () => {
  const specs: [OptimizerSpec, number][] = [
    [{ type: 'sgd' }, 0.05],
    [{ type: 'sgd', momentum: 0.9 }, 0.01],
    [{ type: 'sgd', momentum: 0.9, nesterov: true }, 0.01],
    [{ type: 'adam' }, 0.01],
    [{ type: 'adamw', weightDecay: 0 }, 0.01],
  ];
  test.each(specs)('%o', (spec, learningRate) => {
    const optimizer = createOptimizer(spec, layout);
    const weights = Float32Array.of(4, -3);
    for (let i = 0; i < 3000; i++) {
      const [x = 0, y = 0] = weights;
      optimizer.step({ weights, gradient: Float32Array.of(x - 1, 10 * (y - 2)) }, learningRate);
    }
    expect(weights[0]).toBeCloseTo(1, 3);
    expect(weights[1]).toBeCloseTo(2, 3);
  });
});

test.each<OptimizerSpec>([
  { type: 'sgd' },
  { type: 'sgd', momentum: 0.9, nesterov: true },
  { type: 'adam' },
  { type: 'adamw' },
])('%o goes on from a copy of its state as if it had never stopped', (spec) => {
  const gradients = [0.5, -1, 3, 1e-3].map((g) => Float32Array.of(g, 2 * g));
  const [whole, early] = [createOptimizer(spec, layout), createOptimizer(spec, layout)];
  const [expected, weights] = [Float32Array.of(1, 1), Float32Array.of(1, 1)];
  for (const gradient of gradients) whole.step({ weights: expected, gradient }, 0.1);
  for (const gradient of gradients.slice(0, 2)) early.step({ weights, gradient }, 0.1);
  const late = createOptimizer(spec, layout, { stepsDone: 2 });
  for (const [name, values] of Object.entries(late.state)) values.set(early.state[name] ?? []);
  for (const gradient of gradients.slice(2)) late.step({ weights, gradient }, 0.1);
  expect(weights).toEqual(expected);
});

test('new weights may go elsewhere, also over the gradient, and it is said whether they are finite', () => {
  const optimizer = createOptimizer({ type: 'sgd' }, layout);
  const [weights, gradient] = [Float32Array.of(1, 1), Float32Array.of(2, 4)];
  expect(optimizer.step({ weights, gradient, into: gradient }, 0.5)).toBe(true);
  expect([weights, gradient]).toEqual([Float32Array.of(1, 1), Float32Array.of(0, -1)]);
  for (const big of [Float32Array.of(3e38, 0), Float32Array.of(0, 3e38)]) {
    expect(optimizer.step({ weights: weights.slice(), gradient: big }, 3)).toBe(false);
  }
});

test('the state is there to be looked at', () => {
  const optimizer = createOptimizer({ type: 'sgd', momentum: 0.5 }, layout);
  optimizer.step({ weights: new Float32Array(2), gradient: Float32Array.of(1, 2) }, 0.1);
  expect(optimizer.state).toEqual({ velocity: Float32Array.of(1, 2) });
});

test('coefficients out of range are refused by name', () => {
  expect(() => createOptimizer({ type: 'sgd', momentum: 1 }, layout)).toThrow(
    'momentum must be in [0, 1), found 1',
  );
  expect(() => createOptimizer({ type: 'adam', beta1: -0.1 }, layout)).toThrow(RangeError);
  expect(() => createOptimizer({ type: 'adam', beta2: 1 }, layout)).toThrow(RangeError);
  expect(() => createOptimizer({ type: 'adam', epsilon: 0 }, layout)).toThrow(RangeError);
  expect(() => createOptimizer({ type: 'adamw', weightDecay: NaN }, layout)).toThrow(RangeError);
});
