import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { expectNear, fractions, runKernel, startKernels } from './test-support.ts';
import type { Sample, Values } from './test-support.ts';

beforeAll(startKernels);

const cases = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  columns: fc.integer({ min: 1, max: 11 }),
  /** Of the logits; above 700 most powers are 0. */
  range: fc.constantFrom(1, 30, 1000),
  seed: fc.nat(),
});

interface Inputs {
  logits: Values;
  targets: Values;
}

function draw({ rows, columns, range, seed }: Sample<typeof cases>): Inputs {
  const shape = [rows, columns];
  const scaled = (seed_: number, change: (value: number) => number): Values => ({
    shape,
    data: Float32Array.from(fractions(shape, seed_).data, change),
  });
  return { logits: scaled(seed, (x) => x * range), targets: scaled(seed + 1, Math.abs) };
}

/** The loss, which the second tensor holds as a double, is exact to 1e-12; gradients are within 1e-5 of the largest. */
function check(name: string, { logits, targets }: Inputs, expected: { loss: number; data: number[] }): void {
  const [dLogits, sum] = runKernel(name, { logits, targets });
  expectNear(dLogits, { shape: logits.shape, data: expected.data });
  const [loss] = new Float64Array(Float32Array.from(sum?.data ?? []).buffer) as unknown as [number];
  expect(Math.abs(loss - expected.loss)).toBeLessThanOrEqual(1e-12 * Math.abs(expected.loss));
}

test('softmax cross-entropy: within 1e-5 of float64', () => {
  const property = fc.property(cases, (drawn) => {
    const { rows, columns } = drawn;
    const inputs = draw(drawn);
    const data: number[] = [];
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const part = ({ data }: Values): number[] => Array.from(data).slice(row * columns, (row + 1) * columns);
      const [x, t] = [part(inputs.logits), part(inputs.targets)];
      const largest = Math.max(...x);
      const total = x.reduce((sum, value) => sum + Math.exp(value - largest), 0);
      const weight = t.reduce((sum, value) => sum + value, 0);
      for (const [i, value] of x.entries()) {
        loss += (t[i] as number) * (largest + Math.log(total) - value);
        data.push((Math.exp(value - largest) / total) * weight - (t[i] as number));
      }
    }
    // One class: its gradient is exactly 0, and so is the loss.
    check('GradwireSoftmaxCrossEntropy', inputs, { loss, data });
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
});

test('sigmoid cross-entropy: within 1e-5 of float64', () => {
  const property = fc.property(cases, (drawn) => {
    const { columns } = drawn;
    const inputs = draw(drawn);
    let loss = 0;
    const data = Array.from(inputs.logits.data, (x, i) => {
      const [t, power] = [inputs.targets.data[i] as number, Math.exp(-Math.abs(x))];
      loss += (Math.max(x, 0) - x * t + Math.log1p(power)) / columns;
      return ((x >= 0 ? 1 : power) / (1 + power) - t) / columns;
    });
    check('GradwireSigmoidCrossEntropy', inputs, { loss, data });
  });
  fc.assert(property, { seed: 2, numRuns: 300 });
});

test('targets of another shape are refused', () => {
  const inputs = { logits: fractions([2, 3], 1), targets: fractions([3, 2], 1) };
  expect(() => runKernel('GradwireSoftmaxCrossEntropy', inputs)).toThrow('targets: expected shape [2, 3]');
});
