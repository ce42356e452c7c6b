import { outputActivation } from '../task/outputs.ts';
import { parameterLayout } from '../network/parameter-layout.ts';
import type { CompleteLayer, ResolvedLayer } from '../network/resolve-layers.ts';
import { resolveLayers } from '../network/resolve-layers.ts';
import type { ModelSpec, TaskSpec } from '../specs.ts';

/** What the exported network ends in. */
export interface ArtifactOptions {
  /** Default `probabilities`: the task's softmax or sigmoid is the last activation. */
  readonly output?: 'logits' | 'probabilities';
}

/** One tensor of `weightData`. */
export interface WeightSpec {
  name: string;
  shape: number[];
  dtype: 'float32';
}

/** A tfjs LayersModel as data, in the form of `tf.io.ModelArtifacts`. */
export interface LayersModelArtifacts {
  modelTopology: object;
  weightSpecs: WeightSpec[];
  /** Little-endian float32, in the order of `weightSpecs`. */
  weightData: ArrayBuffer;
  format: 'layers-model';
  generatedBy: string;
  convertedBy: null;
}

/**
 * Writes a network and its weights as a tfjs LayersModel (Keras topology), without tfjs: load it with
 * `tf.loadLayersModel(tf.io.fromMemory(artifacts))`, or store it as `model.json` and `weights.bin`.
 *
 * @param weights - flat vector in the order of {@link parameterLayout}; copied.
 * @throws RangeError if the vector's length is wrong; GradwireError `RECIPE_INVALID` if the layers do not fit.
 */
export function layersModelArtifacts(
  model: { readonly spec: ModelSpec; readonly task: TaskSpec },
  weights: Float32Array,
  options: ArtifactOptions = {},
): LayersModelArtifacts {
  const layout = parameterLayout(model.spec);
  if (weights.length !== layout.size) {
    throw new RangeError(`weights: expected length ${layout.size}, found ${weights.length}`);
  }
  const activation = options.output === 'logits' ? 'linear' : outputActivation(model.task);
  return {
    modelTopology: topology(model.spec, activation),
    weightSpecs: layout.parameters.map(({ name, shape }) => ({ name, shape: [...shape], dtype: 'float32' })),
    weightData: weights.slice().buffer,
    format: 'layers-model',
    generatedBy: 'Gradwire',
    convertedBy: null,
  };
}

function topology(spec: ModelSpec, lastActivation: string): object {
  const layers = resolveLayers(spec);
  const configs = layers.map((resolved, index) => ({
    class_name: classNames[resolved.layer.type],
    config: {
      ...layerConfig(resolved.layer),
      ...(index === layers.length - 1 ? { activation: lastActivation } : {}),
      ...nameAndInput(resolved, index),
    },
  }));
  return { class_name: 'Sequential', config: { name: spec.name, layers: configs } };
}

const classNames = {
  conv2d: 'Conv2D',
  depthwiseConv2d: 'DepthwiseConv2D',
  maxPooling2d: 'MaxPooling2D',
  averagePooling2d: 'AveragePooling2D',
  globalAveragePooling2d: 'GlobalAveragePooling2D',
  batchNormalization: 'BatchNormalization',
  activation: 'Activation',
  dropout: 'Dropout',
  flatten: 'Flatten',
  dense: 'Dense',
} as const;

function nameAndInput({ name, inputShape }: ResolvedLayer, index: number): object {
  const input = index === 0 ? { batch_input_shape: [null, ...inputShape] } : {};
  return { name, trainable: true, dtype: 'float32', ...input };
}

// Zeros: loading overwrites them at once, and the default initialisers would cost time and draw random numbers.
const zeros = { class_name: 'Zeros', config: {} };

function layerConfig(layer: CompleteLayer): object {
  switch (layer.type) {
    case 'conv2d':
      return {
        filters: layer.filters,
        kernel_initializer: zeros,
        ...convolutionConfig(layer),
      };
    case 'depthwiseConv2d':
      return {
        depth_multiplier: layer.depthMultiplier,
        depthwise_initializer: zeros,
        ...convolutionConfig(layer),
      };
    case 'maxPooling2d':
    case 'averagePooling2d':
      return {
        pool_size: square(layer.poolSize),
        strides: square(layer.strides),
        padding: layer.padding,
        ...channelsLast,
      };
    case 'batchNormalization':
      return { axis: -1, momentum: layer.momentum, epsilon: layer.epsilon, center: true, scale: true };
    case 'activation':
      return { activation: layer.activation };
    case 'dropout':
      return { rate: layer.rate };
    case 'flatten':
    case 'globalAveragePooling2d':
      return channelsLast;
    case 'dense':
      return { units: layer.units, kernel_initializer: zeros, ...biasAndActivation(layer) };
  }
}

const channelsLast = { data_format: 'channels_last' };

function convolutionConfig(layer: Extract<CompleteLayer, { kernelSize: number }>): object {
  return {
    kernel_size: square(layer.kernelSize),
    strides: square(layer.strides),
    padding: layer.padding,
    ...channelsLast,
    ...biasAndActivation(layer),
  };
}

function biasAndActivation({ useBias, activation }: Extract<CompleteLayer, { useBias: boolean }>): object {
  return { use_bias: useBias, bias_initializer: zeros, activation };
}

function square(side: number): [number, number] {
  return [side, side];
}
