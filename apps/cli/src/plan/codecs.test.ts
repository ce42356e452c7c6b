import { parameterLayout } from '@gradwire/models';
import { vectorCodecs } from '@gradwire/protocol';
import { findRecipe } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { codecChoices, vectorBytes } from './codecs.ts';

test('bytes of a group: trained weights in the codec, statistics as float32', () => {
  const layout = parameterLayout(findRecipe('mnist-deep').model);
  const [float32, bfloat16, int8, topK] = codecChoices(8).map(([codec]) => vectorBytes(codec!, layout, 8));
  expect(float32).toEqual({ plain: 4 * 73_114, weights: 4 * 73_114 });
  const trained = 73_114 - 448;
  expect(bfloat16?.group?.bytes).toBe(4 * 448 + 2 * trained);
  expect(int8?.group?.bytes).toBe(4 * 448 + vectorCodecs.int8.sizes(trained).max);
  expect(topK?.group?.bytes).toBeCloseTo(4 * 448 + 0.3 * trained, 0);
  expect(int8?.weights).toBe(2 * 73_114);
});
