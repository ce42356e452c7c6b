import { uniform } from '@gradwire/random';
import { expect, test } from 'vitest';
import type { TaskSpec } from '../index.ts';
import {
  confusionCounts,
  countCorrect,
  lossSum,
  outputUnits,
  predictedAnswers,
  probabilities,
} from '../index.ts';

const tasks: TaskSpec[] = [
  { type: 'multiclass', classes: 5 },
  { type: 'multilabel', classes: 5 },
  { type: 'binary', positive: [3] },
];

function example(task: TaskSpec, rows = 4): { logits: Float32Array; targets: Float32Array } {
  const count = rows * outputUnits(task);
  const logits = Float32Array.from(uniform({ seed: 1, stream: 'probe' }, count, { low: -4, high: 4 }));
  const targets = Float32Array.from(uniform({ seed: 2, stream: 'probe' }, count));
  return { logits, targets };
}

/** The textbook formula, fit for moderate logits only. */
function plainLoss(task: TaskSpec, logits: Float32Array, targets: Float32Array): number {
  const units = outputUnits(task);
  let sum = 0;
  for (let i = 0; i < logits.length; i += 1) {
    const t = targets[i] as number;
    const start = i - (i % units);
    const total = logits.subarray(start, start + units).reduce((a, x) => a + Math.exp(x), 0);
    const p = 1 / (1 + Math.exp(-(logits[i] as number)));
    sum -=
      task.type === 'multiclass'
        ? t * Math.log(Math.exp(logits[i] as number) / total)
        : (t * Math.log(p) + (1 - t) * Math.log(1 - p)) / units;
  }
  return sum;
}

test.each(tasks)('$type: the loss agrees with the textbook formula', (task) => {
  const { logits, targets } = example(task);
  expect(lossSum(task, { logits, targets })).toBeCloseTo(plainLoss(task, logits, targets), 10);
});

test.each(tasks)('$type: the gradient agrees with finite differences', (task) => {
  const { logits, targets } = example(task);
  const gradient = new Float32Array(logits.length);
  lossSum(task, { logits, targets, gradient });
  const step = 2 ** -10;
  for (const [i, x] of logits.entries()) {
    const lossAt = (value: number): number => lossSum(task, { logits: logits.with(i, value), targets });
    const [up, down] = [x + step, x - step].map(Math.fround) as [number, number];
    const difference = lossAt(up) - lossAt(down);
    expect(gradient[i]).toBeCloseTo(difference / (up - down), 5);
  }
});

test.each(tasks)('$type: extreme logits give finite losses and gradients, a NaN shows', (task) => {
  const units = outputUnits(task);
  const logits = new Float32Array(2 * units).fill(-3e38);
  logits[0] = 3e38;
  const targets = new Float32Array(2 * units);
  targets[0] = 1;
  const gradient = new Float32Array(2 * units);
  expect(lossSum(task, { logits, targets, gradient })).toBeCloseTo(0, 6);
  expect(gradient.every(Number.isFinite)).toBe(true);
  expect(lossSum(task, { logits: logits.with(0, Number.NaN), targets })).toBeNaN();
});

test.each(tasks)('$type: probabilities are what the loss is the likelihood of', (task) => {
  const { logits } = example(task);
  const units = outputUnits(task);
  const zeros = new Float32Array(logits.length);
  const p = probabilities(task, logits);
  for (const [i, value] of p.entries()) {
    expect(value).toBeGreaterThan(0);
    const row = i - (i % units);
    // One output at a time: the loss of a one-hot row is -ln p (of its share, for sigmoids).
    const alone: TaskSpec = task.type === 'multiclass' ? task : { type: 'binary', positive: [0] };
    const [from, to] = alone === task ? [row, row + units] : [i, i + 1];
    const wanted = zeros.slice(from, to).with(i - from, 1);
    expect(lossSum(alone, { logits: logits.slice(from, to), targets: wanted })).toBeCloseTo(
      -Math.log(value),
      5,
    );
  }
});

test('lengths that differ are refused', () => {
  const [task] = tasks as [TaskSpec];
  expect(() => lossSum(task, { logits: new Float32Array(5), targets: new Float32Array(4) })).toThrow(
    /targets: expected length 5, found 4/,
  );
});

test('answers: the first of equal logits; counts and confusion agree', () => {
  const task: TaskSpec = { type: 'multiclass', classes: 3 };
  const logits = new Float32Array([1, 1, 0, 0, 2, 2, 0, 0, 5, 3, 1, 1]);
  const labels = new Uint8Array([0, 1, 0, 0]);
  expect([...predictedAnswers(task, logits)]).toEqual([0, 1, 2, 0]);
  expect(countCorrect(task, logits, labels)).toBe(3);
  expect([...confusionCounts(task, logits, labels)]).toEqual([2, 0, 1, 0, 1, 0, 0, 0, 0]);
});

test('a binary answer is yes above one half', () => {
  const task: TaskSpec = { type: 'binary', positive: [7, 9] };
  const logits = new Float32Array([0, 0.1, -0.1, 3]);
  const labels = new Uint8Array([1, 7, 9, 2]);
  expect([...predictedAnswers(task, logits)]).toEqual([0, 1, 0, 1]);
  expect(countCorrect(task, logits, labels)).toBe(2);
  expect([...confusionCounts(task, logits, labels)]).toEqual([1, 1, 1, 1]);
});
