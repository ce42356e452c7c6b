/**
 * Updates flat weights. Arithmetic is IEEE double, only `+ - * /` and square root, rounded to float32
 * when stored: the same bits on every machine.
 */
export interface Optimizer {
  /**
   * One update, in place.
   *
   * @param gradient The mean over the step's samples; only read.
   */
  step(weights: Float32Array, gradient: Float32Array, learningRate: number): void;
  /** What it remembers between updates: vectors as long as the weights, by name. */
  readonly state: Readonly<Record<string, Float32Array>>;
}
