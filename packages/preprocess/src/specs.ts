/** How raw features become the network's input. */
export type FeatureSpec =
  /** `x / 255` for bytes: to [0, 1]. */
  | { readonly type: 'normalise' }
  /** `(x / 255 - mean) / deviation`, with the training set's statistics per channel (last axis). */
  | { readonly type: 'standardise' };

/** Statistics of the training set's features after division by 255, one entry a channel. */
export interface FeatureStatistics {
  readonly mean: readonly number[];
  /** Population standard deviation, above 0. */
  readonly deviation: readonly number[];
}
