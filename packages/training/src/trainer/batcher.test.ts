import type { ModelSpec } from '@gradwire/models';
import { featureStatistics } from '@gradwire/preprocess';
import { expect, test } from 'vitest';
import { createBatcher } from '../index.ts';

const model: ModelSpec = {
  name: 'tiny',
  inputShape: [2, 1],
  layers: [{ type: 'flatten' }, { type: 'dense', units: 3 }],
};
const task = { type: 'multiclass', classes: 3 } as const;
const samples = { features: new Uint8Array([0, 255, 51, 102, 255, 255]), labels: new Uint8Array([2, 0, 1]) };

test('rows are gathered in the given order, preprocessed, with targets', () => {
  const batcher = createBatcher({ model, task, features: { type: 'normalise' } });
  const batch = batcher(samples, new Uint32Array([1, 0, 1]));
  expect([...batch.features]).toEqual([0.2, 0.4, 0, 1, 0.2, 0.4].map(Math.fround));
  expect([...batch.targets]).toEqual([1, 0, 0, 0, 0, 1, 1, 0, 0]);
  expect(batch).toMatchObject({ labels: new Uint8Array([0, 2, 0]), count: 3 });
});

test('without indices the samples are taken as they come', () => {
  const statistics = featureStatistics({ features: samples.features, sampleShape: model.inputShape });
  const batch = createBatcher({ model, task, features: { type: 'standardise' } }, statistics)(samples);
  expect(batch.count).toBe(3);
  expect(batch.features.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 5);
});

test('a batch keeps its features unless their memory is to be used again', () => {
  const recipe = { model, task, features: { type: 'normalise' } } as const;
  const [fresh, reusing] = [createBatcher(recipe), createBatcher(recipe, undefined, { reuse: true })];
  for (const batcher of [fresh, reusing]) {
    const first = batcher(samples, new Uint32Array([0]));
    const second = batcher(samples, new Uint32Array([1]));
    expect([...second.features]).toEqual([0.2, 0.4].map(Math.fround));
    expect(second.features === first.features).toBe(batcher === reusing);
    expect(batcher(samples, new Uint32Array([2, 0])).features).toEqual(Float32Array.of(1, 1, 0, 1));
  }
});

test('missing statistics, foreign indices and unequal counts are refused', () => {
  expect(() => createBatcher({ model, task, features: { type: 'standardise' } })).toThrow(TypeError);
  const batcher = createBatcher({ model, task, features: { type: 'normalise' } });
  expect(() => batcher(samples, new Uint32Array([0, 3]))).toThrow(
    /indices\[1\]: expected an index below 3, found 3/,
  );
  expect(() => batcher({ ...samples, labels: new Uint8Array(2) })).toThrow(
    /expected 2 samples of 2 values, found 6/,
  );
});
