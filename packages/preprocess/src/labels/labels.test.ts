import { expect, test } from 'vitest';
import { answerNames, binaryRows, decodeProbabilities, oneHot, smoothTargets, targets } from '../index.ts';

test('one-hot rows hold a single 1, at the label', () => {
  expect([...oneHot(new Uint8Array([2, 0]), 3)]).toEqual([0, 0, 1, 1, 0, 0]);
  expect(() => oneHot(new Uint8Array([1, 3]), 3)).toThrow(/labels\[1\].*below 3, found 3/);
});

test('targets follow the task', () => {
  const labels = new Uint8Array([7, 1, 2]);
  expect(targets(labels, { type: 'multiclass', classes: 8 })).toEqual(oneHot(labels, 8));
  expect(targets(labels, { type: 'multilabel', classes: 8 })).toEqual(oneHot(labels, 8));
  expect([...targets(labels, { type: 'binary', positive: [7, 2] })]).toEqual([1, 0, 1]);
});

test('smoothing spreads a share of each target evenly and keeps the sum of a row', () => {
  const task = { type: 'multiclass', classes: 4, smoothing: 0.5 } as const;
  const hard = targets(new Uint8Array([2, 0]), task);
  expect([...hard]).toEqual([0, 0, 1, 0, 1, 0, 0, 0]);
  const soft = smoothTargets(hard, task);
  expect([...soft]).toEqual([0.125, 0.125, 0.625, 0.125, 0.625, 0.125, 0.125, 0.125]);
  expect([...hard]).toEqual([0, 0, 1, 0, 1, 0, 0, 0]);
  for (const other of [
    { type: 'multiclass', classes: 4 },
    { type: 'multilabel', classes: 4 },
  ] as const)
    expect(smoothTargets(hard, other)).toBe(hard);
});

test('decoding gives the best labels first; ties keep the class order', () => {
  const rows = new Float32Array([0.25, 0.5, 0.25, 1, 0, 0]);
  const decoded = decodeProbabilities(rows, ['a', 'b', 'c'], { top: 2 });
  expect(decoded.map((row) => row.map(({ label }) => label))).toEqual([
    ['b', 'a'],
    ['a', 'b'],
  ]);
  expect(decoded[0]?.[0]).toEqual({ label: 'b', index: 1, probability: 0.5 });
  expect(decodeProbabilities(rows, ['a', 'b', 'c'])[1]).toHaveLength(1);
  expect(() => decodeProbabilities(new Float32Array(4), ['a', 'b', 'c'])).toThrow(/4 values/);
});

test('a binary network decodes like any other', () => {
  const task = { type: 'binary', positive: [7] } as const;
  const names = answerNames(['0', '1', '2', '3', '4', '5', '6', '7'], task);
  const decoded = decodeProbabilities(binaryRows(new Float32Array([0.75, 0.25])), names);
  expect(decoded.map((row) => row[0]?.label)).toEqual(['7', 'not 7']);
});
