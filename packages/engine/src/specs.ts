/** Stochastic gradient descent, optionally with (Nesterov) momentum. */
export interface SgdSpec {
  readonly type: 'sgd';
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/** Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019; decay acts on kernels only). */
export interface AdamSpec {
  readonly type: 'adam' | 'adamw';
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-7, as in Keras and tfjs. */
  readonly epsilon?: number;
  /** AdamW only, default 0.01. */
  readonly weightDecay?: number;
}

/** Which optimizer, and its settings. */
export type OptimizerSpec = SgdSpec | AdamSpec;

/** The learning rate as a function of the step. Every schedule may start with a linear warm-up. */
export type ScheduleSpec = (
  | { readonly type: 'constant'; readonly learningRate: number }
  /** Multiplied by `factor` every `everyEpochs` epochs. */
  | {
      readonly type: 'step';
      readonly learningRate: number;
      readonly factor: number;
      readonly everyEpochs: number;
    }
  /** Half a cosine from `learningRate` to `finalLearningRate` (default 0) over the run. */
  | { readonly type: 'cosine'; readonly learningRate: number; readonly finalLearningRate?: number }
  /** One cycle (Smith 2018; as PyTorch's OneCycleLR with cosine annealing). */
  | {
      readonly type: 'one-cycle';
      /** The peak. */
      readonly learningRate: number;
      /** Share of the run spent rising, default 0.3. */
      readonly riseShare?: number;
      /** Start = peak / this, default 25. */
      readonly startDivisor?: number;
      /** End = start / this, default 10,000. */
      readonly endDivisor?: number;
    }
) & {
  /** Steps of linear warm-up from 0, default 0. */
  readonly warmupSteps?: number;
};
