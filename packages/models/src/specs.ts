/** One layer as plain data; names and defaults as in `tf.layers`. */
export type LayerSpec =
  | {
      readonly type: 'conv2d';
      readonly filters: number;
      readonly kernelSize: number;
      readonly strides?: number;
      readonly padding?: 'valid' | 'same';
      readonly activation?: 'linear' | 'relu';
    }
  | {
      readonly type: 'maxPooling2d';
      readonly poolSize: number;
      readonly strides?: number;
      readonly padding?: 'valid' | 'same';
    }
  | { readonly type: 'flatten' }
  | { readonly type: 'dense'; readonly units: number; readonly activation?: 'linear' | 'relu' };

/**
 * A network as plain data. The last layer is linear and gives the logits; the task adds the softmax or sigmoid,
 * so that losses are computed from logits.
 */
export interface ModelSpec {
  readonly name: string;
  /** Shape of one sample, for example `[28, 28, 1]`. */
  readonly inputShape: readonly number[];
  readonly layers: readonly LayerSpec[];
}

/** What the network learns: it decides the loss, the output activation and the metrics. */
export type TaskSpec =
  /** Exclusive classes: softmax and cross-entropy. */
  | {
      readonly type: 'multiclass';
      readonly classes: number;
      /**
       * Label smoothing: share of each training target that is spread evenly over all classes, in [0, 1); default 0.
       * Counts in training losses, not in evaluations.
       */
      readonly smoothing?: number;
    }
  /** One sigmoid and binary cross-entropy per class (summed over classes, divided by their number). */
  | { readonly type: 'multilabel'; readonly classes: number }
  /** One output: is the label among `positive`? Sigmoid and binary cross-entropy. */
  | { readonly type: 'binary'; readonly positive: readonly number[] };
