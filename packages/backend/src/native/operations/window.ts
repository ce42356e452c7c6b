import type { NamedAttrMap } from '@tensorflow/tfjs-core';

/** Attributes of a window that slides over height and width, as the library names them; channels last. */
export type WindowAttributes = Record<string, string | number[]>;

/**
 * The window of tfjs's attributes, or undefined where only tfjs's own kernel knows what to do (explicit padding,
 * channels first).
 */
export function windowOf(attrs: NamedAttrMap): WindowAttributes | undefined {
  const { strides, pad, dataFormat = 'NHWC', dilations = 1, filterSize } = attrs;
  if ((pad !== 'valid' && pad !== 'same') || dataFormat !== 'NHWC') return undefined;
  return {
    strides: sides(strides),
    padding: pad === 'valid' ? 'VALID' : 'SAME',
    data_format: 'NHWC',
    ...(filterSize === undefined ? { dilations: sides(dilations) } : { ksize: sides(filterSize) }),
  };
}

function sides(value: unknown): number[] {
  const [height, width] = Array.isArray(value) ? (value as [number, number]) : [value, value];
  return [1, height as number, width as number, 1];
}
