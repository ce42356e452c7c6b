import { mnistFast } from '@gradwire/models';
import type { Recipe } from '../recipe.ts';
import { mnistDefaults } from './mnist-defaults.ts';

/**
 * 99 % in one epoch: large steps that rise and fall once, short memories in Adam to follow them, and label smoothing,
 * which alone is worth 0.2 points. What else was tried: docs/results.md.
 */
export const mnistFastRecipe: Recipe = {
  ...mnistDefaults,
  name: 'mnist-fast',
  description: 'Handwritten digits in seconds: above 99 % after one epoch.',
  model: mnistFast,
  task: { type: 'multiclass', classes: 10, smoothing: 0.05 },
  optimizer: { type: 'adam', beta1: 0.7, beta2: 0.9 },
  schedule: { type: 'one-cycle', learningRate: 0.01, riseShare: 0.2 },
  batchSize: 256,
  epochs: 1,
};
