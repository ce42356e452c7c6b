import type { Tensor } from '@tensorflow/tfjs-core';

/** Gradients of the loss by what went into a block; absent where they were not asked for or do not exist. */
export interface BlockGradients {
  readonly inputs: readonly (Tensor | undefined)[];
  /** By each of the block's tensors; of a statistic the samples times what it is for them. */
  readonly tensors: readonly (Tensor | undefined)[];
}

/** The result of a forward pass, with all that the backward pass needs. */
export interface ForwardPass {
  readonly output: Tensor;
  /** @param dy - gradient of the loss by `output`. */
  backward(dy: Tensor, options: { readonly inputNeeded: boolean }): BlockGradients;
}

/** Where in a run a gradient is computed: it keys the random numbers of dropout. */
export interface Position {
  /** Counted from 0 over the whole run. */
  readonly step: number;
  readonly shard: number;
}

/** Training or evaluation. */
export type Mode =
  | {
      readonly training: true;
      readonly seed: number;
      readonly position?: Position | undefined;
      /** Samples of each part of the batch, see `Batch`. */
      readonly parts?: readonly number[] | undefined;
    }
  | { readonly training: false };

/**
 * One or more layers computed together. Forward and backward passes are written out instead of taken from a tape:
 * that saves the tape's cost, tfjs's slow gradients of relu and max-pooling, and gradients that nobody reads.
 * Every tensor a block makes belongs to the surrounding `tidy`.
 */
export interface Block {
  forward(inputs: readonly Tensor[], tensors: readonly Tensor[], mode: Mode): ForwardPass;
}
