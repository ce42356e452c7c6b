import type { Tensor } from '@tensorflow/tfjs-core';
import { getBackend, slice } from '#tfjs-core';
import type { GraphLayer, OperationOf } from '../operation.ts';

/** A convolution's or pooling's window; height before width. */
export interface Window {
  readonly size: Sides;
  readonly strides: Sides;
  readonly padding: 'valid' | 'same';
}

type Sides = readonly [height: number, width: number];

/** Cuts samples; the result belongs to the surrounding `tidy`. */
export type Crop = (x: Tensor, tensors: readonly Tensor[]) => Tensor;

/**
 * Cuts off rows and columns of the samples that no output of the network depends on: a pooling with padding `valid` drops
 * what does not fill its last window, and what only that was computed from is not needed either. On the native backend;
 * our WebAssembly kernels skip what a pooling drops.
 */
export function createCrop(layers: readonly GraphLayer[]): Crop {
  const leading = leadingWindows(layers);
  return (x, tensors) => {
    if (leading.length === 0 || getBackend() !== 'tensorflow') return x;
    const windows = leading.map((layer) => windowOf(layer, tensors));
    const [samples = 0, height = 1, width = 1, channels = 1] = x.shape;
    const shape = [samples, usedSide(height, windows, 0), usedSide(width, windows, 1), channels];
    return shape[1] === height && shape[2] === width ? x : slice(x, [0, 0, 0, 0], shape);
  };
}

type WindowOperation = OperationOf<'conv2d' | 'maxPooling2d' | 'averagePooling2d'>;
type WindowLayer = GraphLayer & { readonly operation: WindowOperation };

/** The convolutions and poolings that every sample passes first; activations between them look at single values. */
function leadingWindows(layers: readonly GraphLayer[]): WindowLayer[] {
  const windows: WindowLayer[] = [];
  for (let position = -1; ; ) {
    const readers = [...layers.keys()].filter((each) => layers[each]?.inputs.includes(position));
    const [next = -1, ...others] = readers;
    const layer = layers[next];
    if (!layer || others.length > 0) return windows;
    if (isWindow(layer)) windows.push(layer);
    else if (layer.operation.type !== 'activation') return windows;
    position = next;
  }
}

function isWindow(layer: GraphLayer): layer is WindowLayer {
  return ['conv2d', 'maxPooling2d', 'averagePooling2d'].includes(layer.operation.type);
}

function windowOf({ operation, tensors: own }: WindowLayer, tensors: readonly Tensor[]): Window {
  const { strides, padding } = operation;
  if (operation.type !== 'conv2d') return { size: operation.window, strides, padding };
  const [height = 1, width = 1] = tensors[own[0] ?? -1]?.shape ?? [];
  return { size: [height, width], strides, padding };
}

/** How many rows (axis 0) or columns (axis 1) of the input the outputs of the last window depend on. */
export function usedSide(side: number, windows: readonly Window[], axis: 0 | 1): number {
  const [window, ...later] = windows;
  if (window === undefined) return side;
  const { [axis]: size } = window.size;
  const { [axis]: stride } = window.strides;
  // Padding is laid around the whole input, so that a smaller one would shift it.
  if (window.padding === 'same') return side;
  const outputs = Math.floor((side - size) / stride) + 1;
  return (usedSide(outputs, later, axis) - 1) * stride + size;
}
