import { backend_util } from '@tensorflow/tfjs-core';
import type { NamedAttrMap } from '@tensorflow/tfjs-core';

/** The shapes, strides and padding of a 2-D convolution. */
export type ConvolutionInfo = backend_util.Conv2DInfo;

type Shape4D = [number, number, number, number];

/**
 * Reads a convolution gradient's attributes.
 *
 * @throws RangeError for the layout `NCHW`, which the wasm backend's convolution does not have either.
 */
export function convolutionInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: NamedAttrMap,
): ConvolutionInfo {
  const { strides, pad, dataFormat, dimRoundingMode } = attrs as unknown as {
    strides: [number, number] | number;
    pad: 'valid' | 'same' | number;
    dataFormat?: 'NHWC' | 'NCHW';
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  if (dataFormat === 'NCHW') throw new RangeError('dataFormat: expected NHWC, found NCHW');
  return backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}
