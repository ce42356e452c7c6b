export { runLocalSteps } from './local-steps/local-steps.ts';
export { createShardStep } from './local-steps/shard-step.ts';
export { createBatcher } from './trainer/batcher.ts';
export { probeHash } from './trainer/probe-hash.ts';
export { createTrainer } from './trainer/trainer.ts';
export type { LocalStepsOptions } from './local-steps/local-steps.ts';
export type { ShardPlace, ShardStep, ShardStepOptions } from './local-steps/shard-step.ts';
export type { Batcher, RawSamples } from './trainer/batcher.ts';
export type { Batch, GradientSum, TrainedRecipe, Trainer } from './trainer/trainer.ts';
