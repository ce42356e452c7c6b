import type { OptimizerSpec, ScheduleSpec } from '@gradwire/engine';
import type { ModelSpec, TaskSpec } from '@gradwire/models';
import type { FeatureSpec } from '@gradwire/preprocess';
import type { CodecSpec } from './codec.ts';
import type { Strategy } from './strategy.ts';

/** Everything that decides the result of a run, as plain data: it can be written to `recipe.json` and hashed. */
export interface Recipe {
  /** Lower-case words joined by hyphens, for example `mnist-cnn`. */
  readonly name: string;
  /** One sentence for `gradwire recipes`. */
  readonly description: string;
  /** Name in the data set registry, for example `mnist`. */
  readonly dataset: string;
  readonly features: FeatureSpec;
  readonly model: ModelSpec;
  readonly task: TaskSpec;
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  /** Coefficient of `l2 / 2 * |kernels|^2`, added to the gradient; default 0. */
  readonly l2?: number;
  /** Largest global norm of the averaged gradient; absent: no clipping. */
  readonly clipNorm?: number;
  /** How the work is shared; default synchronous. `optimizer`, `schedule`, `l2` and `clipNorm` act on local steps, if there are any. */
  readonly strategy?: Strategy;
  /** How weights and gradients travel; default float32, which changes no bit. */
  readonly codec?: CodecSpec;
  /** Samples in one step (with a local strategy: in one local step), over all shards. */
  readonly batchSize: number;
  /** Virtual shards of the training set: also the largest number of workers that can compute at once. */
  readonly shards: number;
  readonly epochs: number;
  /** Ends the run early, after this many steps; a step of a local strategy has many local ones. */
  readonly steps?: number;
  /** Share of the training set held out for validation, in [0, 1); default 0. */
  readonly validationShare?: number;
  /** 32-bit unsigned. */
  readonly seed: number;
}
