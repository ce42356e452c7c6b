import type { layers } from '@tensorflow/tfjs-layers';

/** A tfjs layer. */
export type TfjsLayer = layers.Layer;

/** Height and width. */
export type Pair = readonly [number, number];

/** Activations whose derivative the output alone tells. */
export const activations = ['linear', 'relu', 'relu6', 'sigmoid', 'tanh', 'elu'] as const;

/** One of {@link activations}. */
export type Activation = (typeof activations)[number];

/** A window that slides over height and width. */
interface Sliding {
  readonly strides: Pair;
  readonly padding: 'valid' | 'same';
}

/** A pooling's window. */
export interface Pooling extends Sliding {
  readonly window: Pair;
}

interface BiasAndActivation {
  readonly useBias: boolean;
  readonly activation: Activation;
}

/** What a layer computes, whichever description it comes from. */
export type Operation =
  | ({ readonly type: 'conv2d' } & Sliding & BiasAndActivation)
  | ({ readonly type: 'depthwiseConv2d' } & Sliding & BiasAndActivation)
  | ({ readonly type: 'dense' } & BiasAndActivation)
  | ({ readonly type: 'maxPooling2d' } & Pooling)
  | ({ readonly type: 'averagePooling2d' } & Pooling)
  | { readonly type: 'globalAveragePooling2d' }
  | BatchNormalization
  | { readonly type: 'activation'; readonly activation: Activation }
  /** `noiseShape`: null takes the input's side; absent: a number for each value. */
  | {
      readonly type: 'dropout';
      readonly rate: number;
      readonly noiseShape?: readonly (number | null)[];
    }
  /** Shape of one sample. */
  | { readonly type: 'reshape'; readonly shape: readonly number[] }
  | { readonly type: 'add' }
  | { readonly type: 'concatenate'; readonly axis: number }
  /** Runs as tfjs runs it: `layer.apply`, with gradients from its tape. */
  | { readonly type: 'plain'; readonly layer: TfjsLayer; readonly output: number };

/** Batch normalisation per channel. */
export interface BatchNormalization {
  readonly type: 'batchNormalization';
  readonly epsilon: number;
  /** Has it a trained scale (gamma), a trained shift (beta)? */
  readonly scale: boolean;
  readonly center: boolean;
  /** Uses its moving averages also while training. */
  readonly frozen: boolean;
  /** The channels' axis, if it is not the last one. */
  readonly axis?: number;
  /** How often the network applies it; its statistics are the mean over these. */
  readonly uses: number;
}

/** The operation of one type. */
export type OperationOf<Type extends Operation['type']> = Extract<Operation, { readonly type: Type }>;

/** One layer in a network's graph. */
export interface GraphLayer {
  readonly name: string;
  readonly operation: Operation;
  /** Positions of the layers that it reads; -1 is the batch. */
  readonly inputs: readonly number[];
  /** Positions of its tensors in the list of all tensors: kernel, bias; gamma, beta, moving mean, moving variance. */
  readonly tensors: readonly number[];
}
