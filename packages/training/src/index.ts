export { createBatcher } from './trainer/batcher.ts';
export { probeHash } from './trainer/probe-hash.ts';
export { createTrainer } from './trainer/trainer.ts';
export type { Batcher, RawSamples } from './trainer/batcher.ts';
export type { Position } from './network/block.ts';
export type { BlockSummary } from './network/explain.ts';
export type { Batch, GradientSum, Trainer } from './trainer/trainer.ts';
export type { TrainedModel, TrainedRecipe } from './trainer/trainer-parts.ts';
