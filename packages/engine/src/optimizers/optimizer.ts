import type { UpdateVectors, VectorMath } from '../vectors/vector-math.ts';

/** What an optimizer reads and writes: flat vectors of one length. */
export type StepVectors = Omit<UpdateVectors, 'into'> & Partial<Pick<UpdateVectors, 'into'>>;

/** Updates flat weights; the same bits on every machine. */
export interface Optimizer {
  /**
   * One update of all trained parameters.
   *
   * @param vectors `gradient`: the mean over the step's samples. `into`: where the new weights go, default `weights`
   * itself; `gradient` will do too.
   * @returns Whether all new weights are finite. If not, `state` is spoilt and the optimizer of no more use.
   */
  step(vectors: StepVectors, learningRate: number): boolean;
  /**
   * What it remembers between updates: vectors as long as the weights, by name. To go on later, copy them into the
   * state of an optimizer that was created with the same spec and as many `stepsDone`.
   */
  readonly state: Readonly<Record<string, Float32Array>>;
}

/** Where an optimizer starts, and who computes for it. */
export interface OptimizerOptions {
  /** Updates done before, default 0: beta^t of Adam follows from it. */
  readonly stepsDone?: number;
  /** Default: plain TypeScript. */
  readonly vectors?: VectorMath;
}
