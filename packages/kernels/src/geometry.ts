import { backend_util } from '#tfjs-core';
import type { NamedAttrMap } from '@tensorflow/tfjs-core';

type Shape4D = [number, number, number, number];

/** A convolution, and the 2 x 2 max-pooling behind it if there is any. */
export interface Geometry {
  readonly info: backend_util.Conv2DInfo;
  /** Sides of the pooled map. */
  readonly pooled?: readonly [number, number];
  /** In the order of `assembly/convolution.ts`. */
  readonly fields: Int32Array;
}

/**
 * Reads a convolution's attributes, as tfjs names them; `poolPad` (`valid` or `same`) asks for pooling.
 *
 * @throws RangeError for the layout `NCHW`, and where filter and input differ in their channels.
 */
export function geometryOf(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: NamedAttrMap,
): Geometry {
  const { strides, dilations, pad, dataFormat, dimRoundingMode, poolPad } = attrs as unknown as {
    strides: [number, number] | number;
    dilations?: [number, number] | number;
    pad: 'valid' | 'same' | number;
    dataFormat?: 'NHWC' | 'NCHW';
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
    poolPad?: 'valid' | 'same';
  };
  if (dataFormat === 'NCHW') throw new RangeError('dataFormat: expected NHWC, found NCHW');
  if (inputShape.length !== 4) throw new RangeError(`x: expected rank 4, found ${inputShape.length}`);
  if (inputShape[3] !== filterShape[2]) {
    throw new RangeError(`filter: expected ${inputShape[3]} input channels, found ${filterShape[2]}`);
  }
  const [x, filter] = [inputShape as Shape4D, filterShape as Shape4D];
  const info = backend_util.computeConv2DInfo(x, filter, strides, dilations ?? 1, pad, dimRoundingMode);
  if (poolPad === undefined) return { info, fields: fieldsOf(info) };
  const round = poolPad === 'same' ? Math.ceil : Math.floor;
  const pooled = [round(info.outHeight / 2), round(info.outWidth / 2)] as const;
  return { info, pooled, fields: fieldsOf(info, pooled) };
}

/**
 * The convolution that gives the gradient by x from that of the outputs, with the filter turned round; undefined where there is
 * none: with strides, or with more padding than the filter reaches.
 */
export function inputGradientGeometryOf({ info }: Geometry): Int32Array | undefined {
  const { filterHeight, filterWidth, dilationHeight, dilationWidth, padInfo } = info;
  const top = (filterHeight - 1) * dilationHeight - padInfo.top;
  const left = (filterWidth - 1) * dilationWidth - padInfo.left;
  if (info.strideHeight !== 1 || info.strideWidth !== 1 || top < 0 || left < 0) return undefined;
  return fieldsOf({
    ...info,
    inHeight: info.outHeight,
    inWidth: info.outWidth,
    inChannels: info.outChannels,
    outHeight: info.inHeight,
    outWidth: info.inWidth,
    outChannels: info.inChannels,
    padInfo: { ...padInfo, top, left },
  });
}

/**
 * Reads a pooling's attributes; the window takes the place of the filter.
 *
 * @throws RangeError for the layout `NCHW`.
 */
export function poolGeometryOf(inputShape: readonly number[], attrs: NamedAttrMap): Geometry {
  const { filterSize, strides, pad, dataFormat, dimRoundingMode } = attrs as unknown as {
    filterSize: [number, number] | number;
    strides: [number, number] | number;
    pad: 'valid' | 'same' | number;
    dataFormat?: 'NHWC' | 'NCHW';
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  if (dataFormat === 'NCHW') throw new RangeError('dataFormat: expected NHWC, found NCHW');
  const x = inputShape as Shape4D;
  const info = backend_util.computePool2DInfo(x, filterSize, strides, 1, pad, dimRoundingMode);
  return { info, fields: fieldsOf(info) };
}

/** As {@link geometryOf}, of a depthwise convolution: `outChannels` is the multiplier. */
export function depthwiseGeometryOf(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: NamedAttrMap,
): Geometry {
  const { strides, dilations, pad, dimRoundingMode } = attrs as unknown as {
    strides: [number, number] | number;
    dilations?: [number, number] | number;
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  const [x, filter] = [inputShape as Shape4D, filterShape as Shape4D];
  const info = backend_util.computeConv2DInfo(x, filter, strides, dilations ?? 1, pad, dimRoundingMode, true);
  const fields = fieldsOf(info);
  fields[14] = filterShape[3] as number;
  return { info, fields };
}

/** The fields of the same convolution of another number of samples. */
export function ofSamples(fields: Int32Array, samples: number): Int32Array {
  const others = fields.slice();
  others[0] = samples;
  return others;
}

function fieldsOf(info: backend_util.Conv2DInfo, pooled: readonly [number, number] = [0, 0]): Int32Array {
  if (info.outHeight < 1 || info.outWidth < 1) {
    const [window, picture] = [
      [info.filterHeight, info.filterWidth],
      [info.inHeight, info.inWidth],
    ];
    throw new RangeError(
      `filter: expected at most ${picture.join(' x ')} pixels, found ${window.join(' x ')}`,
    );
  }
  return Int32Array.of(
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.top,
    info.padInfo.left,
    info.outHeight,
    info.outWidth,
    info.outChannels,
    ...pooled,
  );
}
