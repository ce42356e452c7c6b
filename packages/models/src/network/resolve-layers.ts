import type { Parameter } from '@gradwire/engine';
import type { LayerSpec, ModelSpec } from '../specs.ts';
import { invalid, positiveInteger } from './checks.ts';

/** A layer with every default filled in. */
export type CompleteLayer = Required<LayerSpec>;

/** A layer in its place: named, with its shapes (of one sample) and the tensors it trains. */
export interface ResolvedLayer {
  /** As Keras numbers them: `conv2d_1`, `max_pooling2d_1`. */
  readonly name: string;
  readonly layer: CompleteLayer;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Kernel, then bias; empty for layers that train nothing. */
  readonly parameters: readonly Pick<Parameter, 'name' | 'shape' | 'role'>[];
}

const keyOfType = {
  conv2d: 'conv2d',
  maxPooling2d: 'max_pooling2d',
  flatten: 'flatten',
  dense: 'dense',
} as const;

/**
 * Walks through a network: names its layers, infers shapes and lists the tensors to train, in the order of the
 * flat weight vector.
 *
 * @throws GradwireError `RECIPE_INVALID` if a size is no positive integer or a layer does not fit its input.
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
      return { strides: 1, padding: 'valid', activation: 'linear', ...spec };
    case 'maxPooling2d':
      return { strides: spec.poolSize, padding: 'valid', ...spec };
    case 'dense':
      return { activation: 'linear', ...spec };
    case 'flatten':
      return spec;
  }
}

function outputShapeOf(layer: CompleteLayer, input: readonly number[], path: string): readonly number[] {
  switch (layer.type) {
    case 'conv2d': {
      positiveInteger(layer.filters, `${path}.filters`);
      const [height, width] = slide(input, {
        ...layer,
        window: layer.kernelSize,
        setting: 'kernelSize',
        path,
      });
      return [height, width, layer.filters];
    }
    case 'maxPooling2d': {
      const [height, width] = slide(input, { ...layer, window: layer.poolSize, setting: 'poolSize', path });
      return [height, width, input[2] as number];
    }
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
  if (input.length !== 3)
    invalid(path, 'an input of shape [height, width, channels]', `shape [${input.join(', ')}]`);
  const [height, width] = input.map((side) =>
    padding === 'same' ? Math.ceil(side / strides) : Math.floor((side - window) / strides) + 1,
  ) as [number, number, number];
  if (height < 1 || width < 1)
    invalid(`${path}.${setting}`, `at most the input's sides [${input.join(', ')}]`, window);
  return [height, width];
}

function parametersOf(
  layer: CompleteLayer,
  input: readonly number[],
  name: string,
): ResolvedLayer['parameters'] {
  const channels = input.at(-1) as number;
  if (layer.type === 'dense') return kernelAndBias(name, [channels, layer.units]);
  if (layer.type !== 'conv2d') return [];
  return kernelAndBias(name, [layer.kernelSize, layer.kernelSize, channels, layer.filters]);
}

function kernelAndBias(name: string, kernelShape: readonly number[]): ResolvedLayer['parameters'] {
  return [
    { name: `${name}/kernel`, shape: kernelShape, role: 'kernel' },
    { name: `${name}/bias`, shape: [kernelShape.at(-1) as number], role: 'bias' },
  ];
}
