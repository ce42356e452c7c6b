import { mnistDeep, mnistSeparable } from '@gradwire/models';
import type { Recipe } from '../recipe.ts';
import { mnistDefaults } from './mnist-defaults.ts';

/** Deeper networks, with batch normalisation: each micro-batch of 32 by its own statistics. */
export const mnistDeepRecipes: readonly Recipe[] = [
  {
    ...mnistDefaults,
    name: 'mnist-deep',
    description: 'Handwritten digits with six convolutions and batch normalisation: slower, more accurate.',
    model: mnistDeep,
    schedule: { type: 'one-cycle', learningRate: 0.01 },
    shards: 4,
    epochs: 3,
  },
  {
    ...mnistDefaults,
    name: 'mnist-separable',
    description: 'Handwritten digits with depthwise-separable convolutions and dropout, as in MobileNet.',
    model: mnistSeparable,
    schedule: { type: 'one-cycle', learningRate: 0.01 },
    shards: 4,
    epochs: 3,
  },
];
