/** A window that slides over height and width. */
interface Sliding {
  readonly strides?: number;
  readonly padding?: 'valid' | 'same';
}

/** What conv2d, depthwiseConv2d and dense do behind their product. */
interface BiasAndActivation {
  /** Default true. Before a batch normalisation a bias has no effect. */
  readonly useBias?: boolean;
  readonly activation?: 'linear' | 'relu';
}

/** One layer as plain data; names and defaults as in `tf.layers`. */
export type LayerSpec =
  | (Sliding &
      BiasAndActivation & {
        readonly type: 'conv2d';
        readonly filters: number;
        readonly kernelSize: number;
      })
  /** One filter for each input channel, or `depthMultiplier` (default 1) of them. */
  | (Sliding &
      BiasAndActivation & {
        readonly type: 'depthwiseConv2d';
        readonly kernelSize: number;
        readonly depthMultiplier?: number;
      })
  | (Sliding & { readonly type: 'maxPooling2d'; readonly poolSize: number })
  | (Sliding & { readonly type: 'averagePooling2d'; readonly poolSize: number })
  /** The mean over height and width. */
  | { readonly type: 'globalAveragePooling2d' }
  /**
   * Ioffe & Szegedy 2015, per channel. Training normalises each micro-batch by its own mean and variance ("ghost" batch
   * normalisation: Hoffer et al. 2017, section 4); evaluation uses their moving averages, which keep a share `momentum`
   * (default 0.99) at each step.
   */
  | { readonly type: 'batchNormalization'; readonly momentum?: number; readonly epsilon?: number }
  | { readonly type: 'activation'; readonly activation: 'linear' | 'relu' }
  /** Zeroes a share `rate` of the values while training and scales the others by `1 / (1 - rate)`. */
  | { readonly type: 'dropout'; readonly rate: number }
  | { readonly type: 'flatten' }
  | (BiasAndActivation & { readonly type: 'dense'; readonly units: number });

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
