import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { Activation, BatchNormalization, Operation, Pair, TfjsLayer } from './operation.ts';
import { activations } from './operation.ts';
import type { TracedLayer } from './trace-model.ts';

/** What is known of the model around a layer. */
export interface LayerContext {
  /** Is the weight trained, and not frozen? */
  isTrained(weight: LayerVariable): boolean;
  /** The activation that the task takes over, at the end of the model. */
  readonly headActivation?: string | undefined;
}

/** An operation with the layer's weights, in its order. */
export interface WeightedOperation {
  readonly operation: Operation;
  readonly weights: readonly LayerVariable[];
}

type Config = Readonly<Record<string, unknown>>;

type Reader = (
  config: Config,
  traced: TracedLayer,
  context: LayerContext,
) => { readonly operation: Operation; readonly weights?: readonly string[] } | undefined;

/** Reads what a layer computes; a plain operation if no block computes exactly that. */
export function operationOfLayer(traced: TracedLayer, context: LayerContext): WeightedOperation {
  const { layer } = traced;
  const found = readers[layer.getClassName()]?.(layer.getConfig(), traced, context);
  const weights = found?.weights?.map((name) => weightOf(layer, name)) ?? [];
  if (found && weights.every((weight) => weight !== undefined))
    return { operation: found.operation, weights };
  return plainOperation(traced, context);
}

/** The layer as tfjs runs it. */
export function plainOperation({ layer, output }: TracedLayer, context: LayerContext): WeightedOperation {
  const weights = layer.weights.filter((weight) => context.isTrained(weight));
  return { operation: { type: 'plain', layer, output }, weights };
}

/** Has a batch normalisation nothing to train? Then it uses its moving averages, as in Keras. */
export function isFrozen(layer: TfjsLayer, isTrained: LayerContext['isTrained']): boolean {
  const affine = ['gamma', 'beta']
    .map((name) => weightOf(layer, name))
    .filter((weight) => weight !== undefined);
  return !layer.trainable || (affine.length > 0 && !affine.some(isTrained));
}

/** The weight that tfjs calls `<layer>/<name>`. */
export function weightOf(layer: TfjsLayer, name: string): LayerVariable | undefined {
  return layer.weights.find((weight) => weight.originalName.split('/').at(-1) === name);
}

const readers: Readonly<Record<string, Reader>> = {
  Conv2D: (config, _, context) => convolution('conv2d', 'kernel', { config, context }),
  DepthwiseConv2D: (config, _, context) =>
    convolution('depthwiseConv2d', 'depthwise_kernel', { config, context }),
  Dense: (config, { inputShapes: [shape] }, context) => {
    const activation = activationOf(config['activation'], context);
    if (!activation || shape?.length !== 1) return undefined;
    const useBias = config['useBias'] === true;
    return {
      operation: { type: 'dense', activation, useBias },
      weights: ['kernel', ...(useBias ? ['bias'] : [])],
    };
  },
  MaxPooling2D: (config) => pooling('maxPooling2d', config),
  AveragePooling2D: (config) => pooling('averagePooling2d', config),
  GlobalAveragePooling2D: (config) =>
    isChannelsLast(config) ? { operation: { type: 'globalAveragePooling2d' } } : undefined,
  BatchNormalization: (config, traced, context) => {
    const operation = normalisation(config, traced, context);
    const affine = [...(operation.scale ? ['gamma'] : []), ...(operation.center ? ['beta'] : [])];
    return { operation, weights: [...affine, 'moving_mean', 'moving_variance'] };
  },
  Activation: (config, _, context) => activationLayer(activationOf(config['activation'], context)),
  ReLU: (config) =>
    activationLayer(config['maxValue'] == null ? 'relu' : config['maxValue'] === 6 ? 'relu6' : undefined),
  Softmax: (_, __, { headActivation }) =>
    activationLayer(headActivation === 'softmax' ? 'linear' : undefined),
  Dropout: (config) => ({
    operation: {
      type: 'dropout',
      rate: config['rate'] as number,
      ...(config['noiseShape'] ? { noiseShape: config['noiseShape'] as (number | null)[] } : {}),
    },
  }),
  Flatten: (config, traced) => (isChannelsLast(config) ? reshaping(traced) : undefined),
  Reshape: (_, traced) => reshaping(traced),
  Add: (_, { inputShapes }) => {
    const [first, ...others] = inputShapes.map(String);
    return others.every((shape) => shape === first) ? { operation: { type: 'add' } } : undefined;
  },
  Concatenate: (config, { outputShape }) => {
    const axis = config['axis'] as number;
    return { operation: { type: 'concatenate', axis: axis < 0 ? axis + outputShape.length + 1 : axis } };
  },
};

function convolution(
  type: 'conv2d' | 'depthwiseConv2d',
  kernel: string,
  { config, context }: { readonly config: Config; readonly context: LayerContext },
): ReturnType<Reader> {
  const activation = activationOf(config['activation'], context);
  const isDense = [config['dilationRate'] ?? 1].flat().every((rate) => rate === 1);
  if (!activation || !isDense || !isChannelsLast(config)) return undefined;
  const useBias = config['useBias'] === true;
  return {
    operation: { type, strides: config['strides'] as Pair, padding: paddingOf(config), activation, useBias },
    weights: [kernel, ...(useBias ? ['bias'] : [])],
  };
}

function pooling(type: 'maxPooling2d' | 'averagePooling2d', config: Config): ReturnType<Reader> {
  if (!isChannelsLast(config)) return undefined;
  const [window, strides] = [config['poolSize'] as Pair, config['strides'] as Pair];
  return { operation: { type, window, strides, padding: paddingOf(config) } };
}

function normalisation(
  config: Config,
  { layer, outputShape }: TracedLayer,
  context: LayerContext,
): BatchNormalization {
  const axis = config['axis'] as number;
  const isLast = axis === -1 || axis === outputShape.length;
  return {
    type: 'batchNormalization',
    epsilon: config['epsilon'] as number,
    scale: config['scale'] === true,
    center: config['center'] === true,
    frozen: isFrozen(layer, context.isTrained),
    ...(isLast ? {} : { axis: axis < 0 ? axis + outputShape.length + 1 : axis }),
    uses: 1,
  };
}

function activationLayer(activation: Activation | undefined): ReturnType<Reader> {
  return activation && { operation: { type: 'activation', activation } };
}

function reshaping({ outputShape }: TracedLayer): ReturnType<Reader> {
  if (!outputShape.every((side) => side !== null)) return undefined;
  return { operation: { type: 'reshape', shape: outputShape } };
}

function activationOf(name: unknown, { headActivation }: LayerContext): Activation | undefined {
  if (name === headActivation) return 'linear';
  return activations.find((activation) => activation === name);
}

function paddingOf(config: Config): 'valid' | 'same' {
  return config['padding'] === 'same' ? 'same' : 'valid';
}

function isChannelsLast(config: Config): boolean {
  return config['dataFormat'] !== 'channelsFirst';
}
