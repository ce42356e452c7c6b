import type { ConvolutionInfo } from './convolution.ts';

/** A convolution and the samples `[from, to)` of its batch. */
export interface PatchWork {
  info: ConvolutionInfo;
  from: number;
  to: number;
}

/**
 * Gathers the matrix `[filterHeight filterWidth channels x pixels]`: row (i, j, c) has the value of x that filter
 * element (i, j, c) meets at each output pixel, zero in the padding. Pixels are in the order output row, sample,
 * output column.
 *
 * The columns are chosen first, for all input rows at once; then each i is a copy of whole rows (of one block where
 * the stride is 1), which takes half the time of going pixel by pixel.
 *
 * @param planes - x as `[channels x samples x height x width]`.
 */
export function gatherPatches(planes: Float32Array, target: Float32Array, work: PatchWork): void {
  const { info, from, to } = work;
  const { filterHeight, filterWidth, inChannels, outHeight, outWidth, strideHeight } = info;
  const row = (to - from) * outWidth;
  const inputRows = (outHeight - 1) * strideHeight + filterHeight;
  // Rows of padding stay zero; the others are written anew for each strip.
  const strip = new Float32Array(inputRows * row);
  const blockRows = strideHeight === 1 ? outHeight : 1;
  for (let j = 0; j < filterWidth; j++) {
    for (let c = 0; c < inChannels; c++) {
      gatherStrip(planes, strip, { ...work, c, j });
      for (let i = 0; i < filterHeight; i++) {
        const place = ((i * filterWidth + j) * inChannels + c) * outHeight * row;
        for (let y = 0; y < outHeight; y += blockRows) {
          const start = (y * strideHeight + i) * row;
          target.set(strip.subarray(start, start + blockRows * row), place + y * row);
        }
      }
    }
  }
}

/** One channel as filter column j sees it: `[input rows with padding x samples x output columns]`. */
function gatherStrip(
  planes: Float32Array,
  strip: Float32Array,
  { info, from, to, c, j }: PatchWork & { c: number; j: number },
): void {
  const { batchSize, inHeight, inWidth, outWidth, strideWidth, padInfo } = info;
  const row = (to - from) * outWidth;
  const left = j - padInfo.left;
  // The output columns [first, last) that meet a pixel inside the picture.
  const first = Math.min(outWidth, Math.max(0, Math.ceil(-left / strideWidth)));
  const last = Math.max(first, Math.min(outWidth, Math.ceil((inWidth - left) / strideWidth)));
  const lastRow = Math.min(inHeight, strip.length / row - padInfo.top);
  for (let sample = from; sample < to; sample++) {
    for (let y = Math.max(0, -padInfo.top); y < lastRow; y++) {
      const at = (y + padInfo.top) * row + (sample - from) * outWidth;
      let source = ((c * batchSize + sample) * inHeight + y) * inWidth + left + first * strideWidth;
      for (let column = 0; column < first; column++) strip[at + column] = 0;
      for (let column = first; column < last; column++, source += strideWidth) {
        strip[at + column] = planes[source] as number;
      }
      for (let column = last; column < outWidth; column++) strip[at + column] = 0;
    }
  }
}
