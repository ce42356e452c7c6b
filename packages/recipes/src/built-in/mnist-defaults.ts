import type { Recipe } from '../recipe.ts';

/** The article's settings: 10 digits, Adam at 0.001, batches of 128, 10 epochs, pixels in [0, 1]. */
export const mnistDefaults: Omit<Recipe, 'name' | 'description' | 'model'> = {
  dataset: 'mnist',
  features: { type: 'normalise' },
  task: { type: 'multiclass', classes: 10 },
  optimizer: { type: 'adam' },
  schedule: { type: 'constant', learningRate: 0.001 },
  batchSize: 128,
  // Micro-batches of 16: small enough to share among 8 workers, large enough to keep the kernels busy.
  shards: 8,
  epochs: 10,
  seed: 1,
};
