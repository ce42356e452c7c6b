import { kernelsReady, sigmoidCrossEntropy, softmaxCrossEntropy } from '@gradwire/kernels';
import type { TaskSpec } from '@gradwire/models';
import { lossSum, outputActivation } from '@gradwire/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';

/** The loss of a batch; its tensor belongs to the surrounding `tidy`. */
export interface Loss {
  /** Summed over the samples. */
  readonly loss: number;
  /** The gradient of that sum by the logits. */
  readonly dLogits: Tensor;
  /** The logits' values. */
  readonly values: Float32Array;
}

/**
 * The loss of a task, and its gradient, from logits and targets `[samples, outputs]`. With the kernels on the heap where
 * the logits are, which takes a tenth of the time; the bits are those of the plain way.
 */
export function computeLoss(task: TaskSpec, logits: Tensor, targets: Float32Array): Loss {
  const values = logits.dataSync<'float32'>();
  if (kernelsReady()) {
    const crossEntropy = outputActivation(task) === 'softmax' ? softmaxCrossEntropy : sigmoidCrossEntropy;
    return { ...crossEntropy({ logits, targets: tensor(targets, logits.shape) }), values };
  }
  const gradient = new Float32Array(values.length);
  const loss = lossSum(task, { logits: values, targets, gradient });
  return { loss, dLogits: tensor(gradient, logits.shape), values };
}
