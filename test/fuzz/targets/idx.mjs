import { datasetFromIdx, readIdx, writeIdx } from '@gradwire/data';
import * as fc from 'fast-check';
import { bytesFrom } from '../mutate.mjs';

/** IDX files, and the data set that images and labels make together. */
export function createTarget() {
  const images = idxSamples.map(writeIdx);
  const labels = writeIdx({ dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 1, 2) });
  return {
    inputs: fc.tuple(
      fc.oneof(fc.constantFrom(...images), bytesFrom(images)),
      fc.oneof(fc.constant(labels), bytesFrom([labels])),
    ),
    codes: ['DATA_CORRUPT', 'DATA_MISMATCH'],
    run([imageBytes, labelBytes]) {
      datasetFromIdx({
        name: 'fuzz',
        split: 'train',
        images: readIdx(imageBytes, 'images'),
        labels: readIdx(labelBytes, 'labels'),
        classNames: ['a', 'b', 'c'],
        sources: { images: 'images', labels: 'labels' },
      });
    },
  };
}

const data = (Kind, count) => Kind.from({ length: count }, (_, i) => (i * 7) % 100);
export const idxSamples = [
  { dtype: 'uint8', shape: [3, 4, 5], data: data(Uint8Array, 60) },
  { dtype: 'float32', shape: [3, 4], data: data(Float32Array, 12) },
  { dtype: 'uint8', shape: [3, 2, 2, 3], data: data(Uint8Array, 36) },
  { dtype: 'int16', shape: [3], data: data(Int16Array, 3) },
  { dtype: 'float64', shape: [3, 1], data: data(Float64Array, 3) },
];
