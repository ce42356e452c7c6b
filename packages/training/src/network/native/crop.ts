import type { Tensor } from '@tensorflow/tfjs-core';
import { getBackend, slice } from '@tensorflow/tfjs-core';

/** A convolution's or pooling's window; height before width. */
export interface Window {
  readonly size: Sides;
  readonly strides: Sides;
  readonly padding: 'valid' | 'same';
}

type Sides = readonly [height: number, width: number];

/**
 * Cuts off rows and columns of the samples that no output of the network depends on: a pooling with padding `valid` drops
 * what does not fill its last window, and what only that was computed from is not needed either. On the native backend
 * (our WebAssembly kernels skip what a pooling drops); the result belongs to the surrounding `tidy`.
 *
 * @param windows - the layers that a sample passes first, as long as they are windows.
 */
export function createCrop(inputShape: readonly number[], windows: readonly Window[]): (x: Tensor) => Tensor {
  const [height = 1, width = 1, ...rest] = inputShape;
  const used = [0, 1].map((axis) => usedSide(axis ? width : height, windows, axis as 0 | 1));
  const crops = windows.length > 0 && (used[0] !== height || used[1] !== width);
  return (x) => {
    if (!crops || getBackend() !== 'tensorflow') return x;
    const shape = [x.shape[0] as number, ...used, ...rest];
    return slice(
      x,
      shape.map(() => 0),
      shape,
    );
  };
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
