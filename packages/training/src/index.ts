export { createBatcher } from './trainer/batcher.ts';
export { probeHash } from './trainer/probe-hash.ts';
export { createTrainer } from './trainer/trainer.ts';
export type { Batcher, RawSamples } from './trainer/batcher.ts';
export type { Batch, GradientSum, TrainedRecipe, Trainer } from './trainer/trainer.ts';
