import type { LayerSpec, ModelSpec } from '../specs.ts';
import { invalid, positiveInteger, share } from './checks.ts';
import type { LayerParameter } from './layer-parameters.ts';
import { parametersOf } from './layer-parameters.ts';

/** A layer with every default filled in. */
export type CompleteLayer = Required<LayerSpec>;

/** A layer in its place: named, with its shapes (of one sample) and its tensors. */
export interface ResolvedLayer {
  /** As Keras numbers them: `conv2d_1`, `max_pooling2d_1`. */
  readonly name: string;
  readonly layer: CompleteLayer;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Kernel, then bias; scale, shift, moving mean, moving variance; empty for layers that hold nothing. */
  readonly parameters: readonly LayerParameter[];
}

const keyOfType = {
  conv2d: 'conv2d',
  depthwiseConv2d: 'depthwise_conv2d',
  maxPooling2d: 'max_pooling2d',
  averagePooling2d: 'average_pooling2d',
  globalAveragePooling2d: 'global_average_pooling2d',
  batchNormalization: 'batch_normalization',
  activation: 'activation',
  dropout: 'dropout',
  flatten: 'flatten',
  dense: 'dense',
} as const satisfies Record<LayerSpec['type'], string>;

/**
 * Walks through a network: names its layers, infers shapes and lists their tensors, in the order of the flat weight
 * vector.
 *
 * @throws GradwireError `RECIPE_INVALID` if a setting is out of range or a layer does not fit its input.
 */
export function resolveLayers(spec: ModelSpec): ResolvedLayer[] {
  for (const [axis, side] of spec.inputShape.entries()) positiveInteger(side, `model.inputShape[${axis}]`);
  const numbers = new Map<string, number>();
  let shape = spec.inputShape;
  return spec.layers.map((layerSpec, index) => {
    const path = `model.layers[${index}]`;
    const key =
      keyOfType[layerSpec.type] ?? invalid(`${path}.type`, Object.keys(keyOfType).join(', '), layerSpec.type);
    const number = (numbers.get(key) ?? 0) + 1;
    numbers.set(key, number);
    const name = `${key}_${number}`;
    const layer = withDefaults(layerSpec);
    const inputShape = shape;
    shape = outputShapeOf(layer, inputShape, path);
    return { name, layer, inputShape, outputShape: shape, parameters: parametersOf(layer, inputShape, name) };
  });
}

function withDefaults(spec: LayerSpec): CompleteLayer {
  switch (spec.type) {
    case 'conv2d':
      return { strides: 1, padding: 'valid', activation: 'linear', useBias: true, ...spec };
    case 'depthwiseConv2d':
      return {
        strides: 1,
        padding: 'valid',
        activation: 'linear',
        useBias: true,
        depthMultiplier: 1,
        ...spec,
      };
    case 'maxPooling2d':
    case 'averagePooling2d':
      return { strides: spec.poolSize, padding: 'valid', ...spec };
    case 'batchNormalization':
      return { momentum: 0.99, epsilon: 0.001, ...spec };
    case 'dense':
      return { activation: 'linear', useBias: true, ...spec };
    case 'globalAveragePooling2d':
    case 'activation':
    case 'dropout':
    case 'flatten':
      return spec;
  }
}

function outputShapeOf(layer: CompleteLayer, input: readonly number[], path: string): readonly number[] {
  switch (layer.type) {
    case 'conv2d': {
      positiveInteger(layer.filters, `${path}.filters`);
      return [
        ...slide(input, { ...layer, window: layer.kernelSize, setting: 'kernelSize', path }),
        layer.filters,
      ];
    }
    case 'depthwiseConv2d': {
      positiveInteger(layer.depthMultiplier, `${path}.depthMultiplier`);
      const sides = slide(input, { ...layer, window: layer.kernelSize, setting: 'kernelSize', path });
      return [...sides, (input[2] as number) * layer.depthMultiplier];
    }
    case 'maxPooling2d':
    case 'averagePooling2d':
      return [
        ...slide(input, { ...layer, window: layer.poolSize, setting: 'poolSize', path }),
        input[2] as number,
      ];
    case 'globalAveragePooling2d':
      return [channelsOf(input, path)];
    case 'batchNormalization':
      share(layer.momentum, `${path}.momentum`);
      if (!(layer.epsilon > 0)) invalid(`${path}.epsilon`, 'a number above 0', layer.epsilon);
      return input;
    case 'dropout':
      share(layer.rate, `${path}.rate`);
      return input;
    case 'activation':
      return input;
    case 'flatten':
      return [input.reduce((product, side) => product * side, 1)];
    case 'dense':
      positiveInteger(layer.units, `${path}.units`);
      if (input.length !== 1)
        invalid(path, 'a flat input (put a flatten layer before it)', `shape [${input.join(', ')}]`);
      return [layer.units];
  }
}

interface Slide {
  readonly window: number;
  readonly strides: number;
  readonly padding: 'valid' | 'same';
  readonly setting: string;
  readonly path: string;
}

/** Height and width after a window slid over the input, as TensorFlow defines 'valid' and 'same'. */
function slide(
  input: readonly number[],
  { window, strides, padding, setting, path }: Slide,
): [number, number] {
  positiveInteger(window, `${path}.${setting}`);
  positiveInteger(strides, `${path}.strides`);
  channelsOf(input, path);
  const [height, width] = input.map((side) =>
    padding === 'same' ? Math.ceil(side / strides) : Math.floor((side - window) / strides) + 1,
  ) as [number, number, number];
  if (height < 1 || width < 1)
    invalid(`${path}.${setting}`, `at most the input's sides [${input.join(', ')}]`, window);
  return [height, width];
}

function channelsOf(input: readonly number[], path: string): number {
  if (input.length !== 3)
    invalid(path, 'an input of shape [height, width, channels]', `shape [${input.join(', ')}]`);
  return input[2] as number;
}
