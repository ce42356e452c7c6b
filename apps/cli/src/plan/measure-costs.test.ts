import { prepareBackend } from '@gradwire/backend';
import type { Dataset } from '@gradwire/data';
import { findRecipe } from '@gradwire/recipes';
import { beforeAll, expect, test } from 'vitest';
import { measureCosts } from './measure-costs.ts';

beforeAll(() => prepareBackend('wasm'));

function digits(split: 'train' | 'test'): Dataset {
  const labels = Uint8Array.from({ length: 200 }, (_, i) => i % 10);
  const features = Uint8Array.from({ length: 200 * 784 }, (_, i) => i % 256);
  const shape = { sampleShape: [28, 28, 1], featureType: 'uint8', classNames: [...'0123456789'] } as const;
  return { name: 'mnist', split, count: 200, features, labels, ...shape };
}

test('a batch may have fewer samples than there are shards: those are measured that have some', () => {
  const recipe = { ...findRecipe('mnist-logistic'), batchSize: 3, shards: 16 };
  const { gradientMs, localStepMs } = measureCosts(recipe, { train: digits('train'), test: digits('test') });
  expect(gradientMs).toBeGreaterThan(0);
  expect(localStepMs).toBeGreaterThan(0);
});
