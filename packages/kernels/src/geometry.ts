import { backend_util } from '@tensorflow/tfjs-core';
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
  if (inputShape[3] !== filterShape[2]) {
    throw new RangeError(`filter: expected ${inputShape[3]} input channels, found ${filterShape[2]}`);
  }
  const [x, filter] = [inputShape as Shape4D, filterShape as Shape4D];
  const info = backend_util.computeConv2DInfo(x, filter, strides, dilations ?? 1, pad, dimRoundingMode);
  if (poolPad === undefined) return { info, fields: fieldsOf(info, [0, 0]) };
  const round = poolPad === 'same' ? Math.ceil : Math.floor;
  const pooled = [round(info.outHeight / 2), round(info.outWidth / 2)] as const;
  return { info, pooled, fields: fieldsOf(info, pooled) };
}

function fieldsOf(info: backend_util.Conv2DInfo, pooled: readonly [number, number]): Int32Array {
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
