import type { Tensor } from '@tensorflow/tfjs-core';

/** Gradients of the loss by what went into a block. */
export interface BlockGradients {
  /** By the block's input; absent where it was not asked for. */
  readonly input?: Tensor;
  /** By each parameter, in the layout's order. */
  readonly parameters: readonly Tensor[];
}

/** The result of a forward pass, with all that the backward pass needs. */
export interface ForwardPass {
  readonly output: Tensor;
  /** @param dy - gradient of the loss by `output`. */
  backward(dy: Tensor, options: { readonly inputNeeded: boolean }): BlockGradients;
}

/**
 * One or more layers computed together. Forward and backward passes are written out instead of taken from a tape:
 * that saves the tape's cost, tfjs's slow gradients of relu and max-pooling, and gradients that nobody reads.
 * Every tensor a block makes belongs to the surrounding `tidy`.
 */
export interface Block {
  /** How many tensors of the layout belong to it. */
  readonly parameterCount: number;
  forward(x: Tensor, parameters: readonly Tensor[]): ForwardPass;
}
