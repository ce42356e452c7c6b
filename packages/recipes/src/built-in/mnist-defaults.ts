import type { Recipe } from '../recipe.ts';

/**
 * The article's settings: 10 digits, Adam at 0.001, batches of 128, 10 epochs. Of its two preparations, standardised
 * pixels learn faster than pixels in [0, 1]: docs/results.md has the figures.
 */
export const mnistDefaults: Omit<Recipe, 'name' | 'description' | 'model'> = {
  dataset: 'mnist',
  features: { type: 'standardise' },
  task: { type: 'multiclass', classes: 10 },
  optimizer: { type: 'adam' },
  schedule: { type: 'constant', learningRate: 0.001 },
  batchSize: 128,
  // Micro-batches of 16: small enough to share among 8 workers, large enough to keep the kernels busy.
  shards: 8,
  epochs: 10,
  seed: 1,
};
