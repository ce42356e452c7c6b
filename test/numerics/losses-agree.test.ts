import { prepareBackend } from '@gradwire/backend';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from '@gradwire/kernels';
import { lossSum, type TaskSpec } from '@gradwire/models';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';

beforeAll(async () => {
  await prepareBackend('wasm');
});

const logit = fc.oneof(
  fc.float({ min: -20, max: 20, noNaN: true }),
  // e^-708 and less are subnormal, e^-746 is 0.
  fc.float({ min: -800, max: 800, noNaN: true }),
  fc.float(),
  fc.constantFrom(0, -0, 1e-30),
);

/** Sums and gradients of the loss by both ways, for rows of `width` outputs. */
function compare(task: TaskSpec, { width, values }: { width: number; values: [number, number][] }): void {
  const rows = Math.floor(values.length / width);
  const [logits, targets] = [new Float32Array(rows * width), new Float32Array(rows * width)];
  for (const i of logits.keys()) [logits[i], targets[i]] = values[i] as [number, number];
  const gradient = new Float32Array(logits.length);
  const loss = lossSum(task, { logits, targets, gradient });
  const found = tidy(() => {
    const inputs = { logits: tensor(logits, [rows, width]), targets: tensor(targets, [rows, width]) };
    const result = (task.type === 'multiclass' ? softmaxCrossEntropy : sigmoidCrossEntropy)(inputs);
    return { loss: result.loss, gradient: Array.from(result.dLogits.dataSync()) };
  });
  // `toEqual` tells zeros of different sign apart and takes NaN for NaN.
  expect(found).toEqual({ loss, gradient: Array.from(gradient) });
}

const pair = fc.tuple(logit, fc.float({ min: 0, max: 1, noNaN: true }));

test.each(['multiclass', 'multilabel'] as const)('%s: the kernel gives the bits of the plain way', (type) => {
  const property = fc.property(
    fc.integer({ min: 2, max: 11 }),
    fc.array(pair, { minLength: 11, maxLength: 60 }),
    (width, values) => {
      compare({ type, classes: width }, { width, values });
    },
  );
  fc.assert(property, { seed: 1, numRuns: 700 });
});

test('binary: one output', () => {
  const property = fc.property(fc.array(pair, { minLength: 1, maxLength: 9 }), (values) => {
    compare({ type: 'binary', positive: [1] }, { width: 1, values });
  });
  fc.assert(property, { seed: 2, numRuns: 300 });
});
